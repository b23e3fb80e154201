package main

import (
	"bytes"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// publisher signs releases of the site's policies and serves them over HTTPS inside
// the router's namespace.
type publisher struct {
	*site
	server *httptest.Server
	url    string

	mu       sync.Mutex
	offers   int
	file     []byte
	etag     string
	handler  http.HandlerFunc // instead of the file; nil
	sent     atomic.Int64     // releases
	notAgain atomic.Int64     // answers 304
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{site: newSite(t, kerneltest.NewNS(t))}
	var listener net.Listener
	var err error
	p.ns.Do(func() { listener, err = net.Listen("tcp", "127.0.0.1:0") })
	if err != nil {
		t.Fatal(err)
	}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.server.Listener.Close()
	p.server.Listener = listener
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	p.url = p.server.URL + "/netpol.npr"
	p.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})))
	p.run(0, []string{"keygen", p.path("release.key")})
	p.pin()
	return p
}

func (p *publisher) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	file, etag, handler := p.file, p.etag, p.handler
	p.mu.Unlock()
	switch {
	case handler != nil:
		handler(w, r)
	case file == nil:
		http.NotFound(w, r)
	case etag != "" && r.Header.Get("If-None-Match") == etag:
		p.notAgain.Add(1)
		w.WriteHeader(http.StatusNotModified)
	default:
		p.sent.Add(1)
		w.Header().Set("ETag", etag)
		_, _ = w.Write(file)
	}
}

// offer makes the server give out these bytes.
func (p *publisher) offer(file []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offers++
	p.file, p.etag, p.handler = file, strconv.Quote(strconv.Itoa(p.offers)), nil
}

func (p *publisher) behave(handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = handler
}

// pin pins the labels of the policies, as their author commits them.
func (p *publisher) pin() {
	p.t.Helper()
	p.run(0, []string{"compile", "--out", p.path("build"), "--etc-dir", p.path("etc"), p.policies})
}

// sign makes a release of the policies as they are.
func (p *publisher) sign(serial int, args ...string) []byte {
	p.t.Helper()
	p.pin()
	p.run(0, append([]string{
		"sign", "--key", p.path("release.key"), "--serial", strconv.Itoa(serial),
		"--author", "Ada", "--message", "release for the branch", "--out", p.path("out.npr"), p.policies,
	}, args...))
	return p.take("out.npr")
}

func (p *publisher) pull(wantCode int, args ...string) string {
	p.t.Helper()
	return p.netpol(wantCode, "pull", append([]string{"--key", p.path("release.key.pub"), "--name", "branch-7", "--ca-file", p.path("ca.pem")}, args...)...)
}

func (p *publisher) table() string {
	p.t.Helper()
	return p.ns.Run("nft", "list", "table", "inet", "netpol")
}

// unchanged fails if the table is another than before.
func (p *publisher) unchanged(before, why string) {
	p.t.Helper()
	if now := p.table(); now != before {
		p.t.Errorf("%s: the table changed to\n%s", why, now)
	}
}

// TestPullOverHTTPS is a router's life with a server.
func TestPullOverHTTPS(t *testing.T) {
	p := newPublisher(t)
	p.wantText(p.pull(4, p.url), "the server answers 404", "nothing was changed")
	first := p.sign(7, "--target", "branch-7")
	p.offer(first)

	out := p.pull(0, "--dry-run", p.url)
	p.wantText(out, "Not applied: release 7", "+ label", " to add, 0 to change")
	if p.exists("state") {
		t.Error("--dry-run made the state directory")
	}
	p.pull(2, "--dry-run", "--detailed-exitcode", p.url)
	p.wantText(p.pull(0, p.url), "Taking release 7", "Apply complete!")
	running := p.table()
	p.wantText(running, "np_dscp")
	p.wantText(p.history(), "* 1", "Ada", "apply release 7: release for the branch")

	// Nothing new: nothing is fetched, done or said.
	sent := p.sent.Load()
	for range 3 {
		if out := p.pull(0, p.url); out != "" {
			t.Errorf("nothing is new, and it says %q", out)
		}
	}
	if p.sent.Load() != sent || p.notAgain.Load() != 3 {
		t.Errorf("sent %d more releases and %d answers 304, want 0 and 3", p.sent.Load()-sent, p.notAgain.Load())
	}
	p.wantText(p.pull(0, "--json", p.url), `"type":"up_to_date","serial":7,`)
	p.wantText(p.pull(0, "--dry-run", "--json", p.url), `"type":"up_to_date"`)

	// A newer one.
	p.write("policies/games.netpol.hcl", gamesPolicy)
	second := p.sign(8)
	p.offer(second)
	p.wantText(p.pull(0, p.url), "Taking release 8", "Apply complete!")
	running = p.table()
	p.wantText(running, "27015")

	// The same policies in a release of their own: nothing to change, but it is the
	// one to remember.
	p.offer(p.sign(9))
	p.wantText(p.pull(0, p.url), "Taking release 9", "No changes.")
	p.offer(second)
	p.wantText(p.pull(3, p.url), "its serial is 8, and this router has had 9")
	p.unchanged(running, "an older release")

	// The memory of it survives damage to either half of it.
	p.write("state/release.npr", "rubbish")
	p.wantText(p.pull(3, "--json", func() string { p.offer(first); return p.url }()), `"reason":"older-serial"`, "going by the history")
	p.unchanged(running, "an older release, the kept one damaged")
}

// TestPullRefuses holds what is offered against what a router may take: the router
// goes on with what it runs, each time.
func TestPullRefuses(t *testing.T) {
	p := newPublisher(t)
	p.offer(p.sign(7))
	p.pull(0, p.url)
	running := p.table()
	p.write("policies/games.netpol.hcl", gamesPolicy)
	good := p.sign(8)
	p.run(0, []string{"keygen", p.path("stranger.key")})
	p.run(0, []string{"sign", "--key", p.path("stranger.key"), "--out", p.path("stranger.npr"), p.policies})
	lines := bytes.SplitAfterN(good, []byte("\n"), 6)

	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"tampered in the bundle", "not the one that was signed", bytes.Replace(good, []byte("27015"), []byte("27016"), 1)},
		{"tampered in the manifest", "it was changed after it was signed", bytes.Replace(good, []byte(`"serial":8`), []byte(`"serial":9`), 1)},
		{"signature stripped", "it has no signature", bytes.Join([][]byte{lines[0], lines[1], lines[2], lines[4], lines[5]}, nil)},
		{"a bundle without one", "a bundle without a signature", lines[5][bytes.Index(lines[5], []byte("netpol-bundle")):]},
		{"cut short", "not the one that was signed", good[:len(good)-9]},
		{"a stranger's", "none of the keys given", p.take("stranger.npr")},
		{"for another router", `it is for "branch-8", and this router is "branch-7"`, p.sign(8, "--target", "branch-8")},
		{"another of that serial", "it is another one", p.sign(7)},
		{"a login page", "no release of netpol sign", []byte("<html>log in</html>")},
	} {
		p.offer(c.file)
		p.wantText(p.pull(3, p.url), "release refused: ", c.want)
		p.unchanged(running, c.name)
	}
	p.offer(p.sign(8, "--expires", "1s"))
	p.eventually("it expires", func() bool {
		out, _ := p.try("pull", "--dry-run", "--key", p.path("release.key.pub"), "--name", "branch-7", "--ca-file", p.path("ca.pem"), p.url)
		return strings.Contains(out, "it expired at ")
	})
	p.unchanged(running, "expired")

	// No key, or none in the file, is a mistake of the router's owner.
	p.offer(good)
	p.write("empty.pub", "# later\n")
	for _, key := range []string{p.path("nowhere.pub"), p.path("empty.pub")} {
		out := p.netpol(1, "pull", "--key", key, "--ca-file", p.path("ca.pem"), p.url)
		p.wantText(out, "netpol pull takes nothing unverified")
	}
	p.wantText(p.netpol(1, "pull", "--unsigned-policies", "--key", p.path("release.key.pub"), p.url), "verifies nothing: give it no --key")
	p.wantText(p.netpol(1, "pull", "--unsigned-policies", p.url), "takes a directory, or a git repository")
	p.unchanged(running, "no key")
	p.wantText(p.history(), "* 1")
}

// TestPullWithoutTheServer: whatever the server does, the router goes on.
func TestPullWithoutTheServer(t *testing.T) {
	p := newPublisher(t)
	p.offer(p.sign(7))
	p.pull(0, p.url)
	running := p.table()

	p.wantText(p.netpol(4, "pull", "--key", p.path("release.key.pub"), p.url), "certificate")
	p.behave(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) })
	p.wantText(p.pull(4, p.url), "503", "nothing was changed")
	p.behave(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1/netpol.npr", http.StatusFound)
	})
	p.wantText(p.pull(4, p.url), "redirects from https to http")
	p.behave(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	p.wantText(p.pull(4, p.url), "more than 5 redirects")
	p.behave(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "gzip") })
	p.wantText(p.pull(4, p.url), "packed it")
	p.behave(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "99999999999") })
	p.wantText(p.pull(4, p.url), "at most")
	p.behave(func(w http.ResponseWriter, r *http.Request) {
		for chunk := bytes.Repeat([]byte("x"), 1<<20); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	p.wantText(p.pull(4, p.url), "it has more than")
	p.behave(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p.wantText(p.pull(4, "--timeout", "300ms", p.url), "deadline exceeded")
	p.unchanged(running, "a server with faults")

	// What the server asks for, and the way to it.
	p.write("token", "secret-1\n")
	p.behave(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "", 400+len(r.Header.Get("Authorization")))
	})
	p.wantText(p.pull(4, "--token-file", p.path("token"), p.url), strconv.Itoa(400+len("Bearer secret-1")))
	p.behave(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", http.StatusUnauthorized) })
	if out := p.pull(4, strings.Replace(p.url, "https://", "https://router:hunter2@", 1)); strings.Contains(out, "hunter2") {
		t.Errorf("a password is told: %s", out)
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	p.wantText(p.pull(4, "https://policy.example.org/netpol.npr"), "proxyconnect")

	p.server.Close()
	p.wantText(p.pull(4, p.url), "connection refused", "nothing was changed")
	p.wantText(p.pull(1, "http://policy.example.org/x"), "http is for this machine alone")
	p.unchanged(running, "no server")

	// A boot without the source: the kernel is empty, and what ran comes back.
	p.ns.Run("nft", "delete", "table", "inet", "netpol")
	p.wantText(p.netpol(0, "restore"), "Restore complete!")
	p.unchanged(running, "a boot without the server")
	p.wantText(p.history(), "release 7")
}

// TestPullAndPeople: what people do to a router lasts until there is a newer release.
func TestPullAndPeople(t *testing.T) {
	p := newPublisher(t)
	p.offer(p.sign(7))
	p.pull(0, p.url)
	first := p.table()
	p.write("policies/games.netpol.hcl", gamesPolicy)
	p.offer(p.sign(8))

	// A change that waits to be confirmed is nobody's to hide.
	p.wantText(p.netpol(0, "pull", "--confirm", "1s", "--key", p.path("release.key.pub"), "--ca-file", p.path("ca.pem"), p.url), "Waiting to be confirmed.")
	p.eventually("the change is taken back", func() bool { return !p.exists("state/pending.json") })
	p.eventually("and told", func() bool { return strings.Contains(p.history(), "timeout: nobody confirmed") })
	p.unchanged(first, "not confirmed")
	p.wantText(p.pull(0, p.url), "nothing newer than release 8", "--again")
	p.unchanged(first, "taken back, and nothing newer")
	p.wantText(p.pull(0, "--again", p.url), "Taking release 8", "Apply complete!")
	second := p.table()
	p.netpol(0, "rollback", "--auto-approve")
	p.pull(0, p.url)
	p.unchanged(first, "rolled back by hand")
	p.offer(p.sign(9))
	p.pull(0, p.url)
	p.unchanged(second, "a newer release")

	// One that this router cannot take: a stranger has the label's bit since.
	p.write("policies/mail.netpol.hcl", strings.NewReplacer("games", "mail", "27015", "25").Replace(gamesPolicy))
	tenth := p.sign(10)
	p.write("etc/connlabel.conf", string(p.take("etc/connlabel.conf"))+"3 theirs\n4 theirs-too\n5 more\n6 much-more\n2 yet-more\n1 and-more\n")
	p.offer(tenth)
	p.wantText(p.pull(1, p.url), "which is not netpol's line")
	p.unchanged(second, "an apply that fails")
	p.wantText(p.pull(1, p.url), "which is not netpol's line") // told each time
	p.write("etc/connlabel.conf", strings.Split(string(p.take("etc/connlabel.conf")), "3 theirs")[0])
	p.wantText(p.pull(0, p.url), "Taking release 10", "Apply complete!")

	// Somebody else is at work.
	p.offer(p.sign(11))
	dir, err := os.Open(p.path("state"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	p.wantText(p.pull(1, p.url), "another netpol is changing this router")
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	p.raceToPull(4)
	p.netpol(0, "destroy", "--auto-approve")
	if p.exists("state") {
		t.Error("destroy leaves the state directory")
	}
}

// raceToPull starts pulls and applies at once: the router ends with the release,
// and it is in the history once.
func (p *publisher) raceToPull(n int) {
	p.t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			args := []string{"--lock-timeout", "1m", "--key", p.path("release.key.pub"), "--ca-file", p.path("ca.pem"), p.url}
			verb := "pull"
			if i%2 == 1 {
				verb, args = "apply", []string{"--lock-timeout", "1m", "--auto-approve", p.policies}
			}
			if out, err := p.try(verb, args...); err != nil {
				p.t.Errorf("%s: %v\n%s", verb, err, out)
			}
		})
	}
	wg.Wait()
	p.netpol(0, "plan", "--detailed-exitcode", p.policies)
	if out := p.pull(0, p.url); out != "" {
		p.t.Errorf("after the race: %q", out)
	}
}

// try runs the tool on the router, whatever comes of it.
func (s *site) try(verb string, args ...string) (string, error) {
	cmd := s.command(verb, args...)
	var out []byte
	var err error
	s.ns.Do(func() { out, err = cmd.CombinedOutput() })
	return string(out), err
}

// TestPullFromGit takes releases and, where asked to, policies out of a repository.
func TestPullFromGit(t *testing.T) {
	kerneltest.Need(t, "git")
	p := newPublisher(t)
	repo := p.path("policies")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=Grace", "-c", "user.email=g@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	commit := func(message string) { git("add", "-A"); git("commit", "-q", "-m", message) }
	source := "git+file://" + repo
	git("init", "-q", "-b", "main")
	commit("policies")
	p.wantText(p.pull(4, source), `HEAD has no file "netpol.npr"`)
	p.write("policies/netpol.npr", string(p.sign(7)))
	commit("release 7")
	p.wantText(p.pull(0, source), "Taking release 7", "Apply complete!")
	running := p.table()
	if out := p.pull(0, source); out != "" {
		t.Errorf("nothing is new, and it says %q", out)
	}
	p.write("policies/netpol.npr", strings.Replace(string(p.sign(8)), "release for", "release f0r", 1))
	commit("tampered")
	p.wantText(p.pull(3, source), "its signature is not one of key")
	p.unchanged(running, "tampered")
	p.wantText(p.pull(4, "--ref", "nowhere", source), "git ls-remote")
	p.wantText(p.pull(4, "git+file:///nowhere/at/all"), "git ls-remote")

	// Addresses that would make git or ssh run something.
	for address, want := range map[string]string{
		"git+ext::sh -c touch% " + p.path("pwned"):                   "https, ssh or file",
		"git+ssh://-oProxyCommand=touch%20pwned/x":                   "not an address",
		"git+ssh://-oProxyCommand=reboot/x":                          "not a repository's address",
		"git+ssh://-oProxyCommand=x@host/x":                          "not a repository's address",
		"git+http://host/x":                                          "https, ssh or file",
		"git+file:///x?--upload-pack=touch":                          "not a repository's address",
		"git+--upload-pack=touch " + p.path("pwned"):                 "https, ssh or file",
		"ssh://host/x":                                               "git+ssh://host/x",
		"git+https://host/x\n--upload-pack=touch " + p.path("pwned"): "control characters",
	} {
		p.wantText(p.pull(1, address), want)
	}
	p.wantText(p.pull(1, "--ref", "--upload-pack=touch", source), "give the name of a branch or tag")
	p.wantText(p.pull(1, "--path", "../../etc/passwd", source), "give a path inside the source")
	if p.exists("pwned") {
		t.Fatal("a source's address was run")
	}

	// Policies that nobody signed: only when asked to.
	if err := os.Remove(p.path("policies/netpol.npr")); err != nil {
		t.Fatal(err)
	}
	p.write("policies/games.netpol.hcl", gamesPolicy)
	commit("games, not pinned")
	unsigned := func(code int, args ...string) string {
		return p.netpol(code, "pull", append([]string{"--unsigned-policies"}, args...)...)
	}
	p.wantText(unsigned(1, source), "not pinned in netpol.lock.hcl", "(games)")
	p.pin()
	commit("games")
	p.wantText(unsigned(0, "--dry-run", source), "Not applied: policies of commit ", "+ label")
	p.wantText(unsigned(0, source), "Taking policies of commit ", "Apply complete!")
	p.wantText(p.table(), "27015")
	p.wantText(p.history(), "Grace", "games")
	if out := unsigned(0, source); out != "" {
		t.Errorf("nothing is new, and it says %q", out)
	}
	p.write("policies/games.netpol.hcl", strings.ReplaceAll(gamesPolicy, "27015", "27016"))
	p.wantText(unsigned(0, repo), "Apply complete!") // the directory itself
	p.write("policies/games.netpol.hcl", "policy {")
	p.wantText(unsigned(1, repo), "error[NP")
	p.wantText(p.table(), "27016")
}

// TestPullFromPath takes a release from a stick or a mounted directory.
func TestPullFromPath(t *testing.T) {
	p := newPublisher(t)
	p.write("stick/netpol.npr", string(p.sign(7)))
	p.wantText(p.pull(0, p.path("stick")), "Taking release 7")
	if out := p.pull(0, p.path("stick/netpol.npr")); out != "" {
		t.Errorf("nothing is new, and it says %q", out)
	}
	p.take("stick/netpol.npr")
	p.wantText(p.pull(4, p.path("stick")), "cannot fetch")
	if err := os.Symlink(p.path("release.key"), p.path("stick/netpol.npr")); err != nil {
		t.Fatal(err)
	}
	p.wantText(p.pull(4, p.path("stick")), "path escapes from parent")
	if err := syscall.Mkfifo(p.path("pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.wantText(p.pull(4, p.path("pipe")), "not a file or directory")
	p.wantText(p.pull(1, "--var", "a=b", p.path("stick")), "a release is compiled already")
}
