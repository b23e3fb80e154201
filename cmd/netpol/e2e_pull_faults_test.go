package main

import (
	"encoding/json"
	"math/rand/v2"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestPullKilled: a pull that is killed anywhere leaves the old release or the new one,
// and the next pull brings the new one, which older ones cannot follow.
func TestPullKilled(t *testing.T) {
	p := newPublisher(t)
	p.offer(p.sign(1))
	p.pull(0, p.url)
	old := p.table()
	p.write("policies/games.netpol.hcl", gamesPolicy)
	p.offer(p.sign(2))
	began := time.Now()
	p.pull(0, p.url)
	took := time.Since(began)
	fresh := p.table()
	random := rand.New(rand.NewPCG(7, 7))
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	before, after := 0, 0
	for serial := 3; serial < 3+rounds; serial++ {
		want := fresh
		if serial%2 == 1 {
			want = old
			p.take("policies/games.netpol.hcl")
		} else {
			p.write("policies/games.netpol.hcl", gamesPolicy)
		}
		last := p.table()
		p.offer(p.sign(serial))
		cmd := p.command("pull", "--key", p.path("release.key.pub"), "--name", "branch-7", "--ca-file", p.path("ca.pem"), p.url)
		p.start(cmd)
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		switch p.table() {
		case last:
			before++
		case want:
			after++
		default:
			t.Fatalf("killed, it left neither the one nor the other:\n%s", p.table())
		}
		p.pull(0, p.url)
		p.unchanged(want, "the pull after the kill")
		p.netpol(0, "plan", "--refresh-only", "--detailed-exitcode")
	}
	t.Logf("killed %d times: %d times the old release was in force, %d times the new one, 0 times neither", rounds, before, after)
	p.offer(p.sign(1 + rounds))
	p.wantText(p.pull(3, p.url), "an older release is never taken again")
}

// TestPullKeysAndTime: keys come and go, and what runs goes on when it expires.
func TestPullKeysAndTime(t *testing.T) {
	p := newPublisher(t)
	first := p.sign(7)
	p.offer(first)
	p.pull(0, p.url)
	running := p.table()

	// A second key beside the first, then alone: what the first signed is refused, and
	// the serial that it had is not forgotten.
	p.run(0, []string{"keygen", p.path("next.key")})
	p.write("release.key.pub", string(p.take("release.key.pub"))+string(p.take("next.key.pub")))
	if out := p.pull(0, p.url); out != "" {
		t.Errorf("with a second key: %q", out)
	}
	if err := exec.Command("mv", p.path("next.key"), p.path("release.key")).Run(); err != nil {
		t.Fatal(err)
	}
	p.offer(p.sign(8, "--expires", "3s"))
	p.wantText(p.pull(0, p.url), "Taking release 8")
	lines := strings.SplitAfter(string(p.take("release.key.pub")), "\n")
	p.write("release.key.pub", lines[1])
	eighth := time.Now()
	p.offer(first)
	p.wantText(p.pull(3, p.url), "none of the keys given")
	p.offer(p.sign(6))
	p.wantText(p.pull(3, p.url), "its serial is 6, and this router has had 8")
	p.write("release.key.pub", lines[0])
	p.offer(first) // as a server that was set back would
	p.wantText(p.pull(3, p.url), "its serial is 7, and this router has had 8")
	p.write("release.key.pub", lines[1])

	// The source gives nothing newer than what has expired: told, and nothing more.
	time.Sleep(time.Until(eighth.Add(4 * time.Second)))
	p.offer(p.take("state/release.npr"))
	p.wantText(p.pull(3, "--json", p.url), `"reason":"expired"`, "it expired at ")
	p.unchanged(running, "an expired release in force")
	began := time.Now()
	p.ns.Run("nft", "delete", "table", "inet", "netpol")
	p.netpol(0, "restore")
	p.unchanged(running, "an expired release after a boot")
	t.Logf("restored from the disk in %v", time.Since(began))
}

// TestPullFromGitOverHTTPS fetches from git's own server, with a certificate of its own.
func TestPullFromGitOverHTTPS(t *testing.T) {
	out, _ := exec.Command("git", "--exec-path").Output() // without git nothing is there
	backend := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	kerneltest.Need(t, "git", backend)
	p := newPublisher(t)
	p.write("policies/deep/branch-7.npr", string(p.sign(7)))
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", p.policies},
		{"-C", p.policies, "add", "-A"},
		{"-C", p.policies, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "release 7"},
		{"clone", "-q", "--bare", p.policies, p.path("srv/policies.git")},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	p.behave((&cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + p.path("srv"), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}).ServeHTTP)
	source := "git+" + p.server.URL + "/policies.git"
	p.wantText(p.pull(0, "--ref", "main", "--path", "deep/branch-7.npr", source), "Taking release 7", "Apply complete!")
	if out := p.pull(0, "--ref", "main", "--path", "deep/branch-7.npr", source); out != "" {
		t.Errorf("nothing is new, and it says %q", out)
	}
	p.wantText(p.netpol(4, "pull", "--key", p.path("release.key.pub"), "--path", "deep/branch-7.npr", source), "certificate")
	p.wantText(p.pull(4, "--path", "nowhere.npr", source), `HEAD has no file "nowhere.npr"`)
	var kept struct{ Source string }
	if err := json.Unmarshal(p.take("state/pulled.json"), &kept); err != nil || kept.Source != source {
		t.Errorf("got %+v, %v", kept, err)
	}
}
