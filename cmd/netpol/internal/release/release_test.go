package release_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/compiler/artifact"
)

var created = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) release.PrivateKey {
	t.Helper()
	key, err := release.NewKey("ci@example.org")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func manifest() release.Manifest {
	return release.Manifest{
		Serial: 7, Created: created, Expires: created.Add(30 * 24 * time.Hour), Target: "branch-7",
		Author: "Ada", Message: "calls <first> & mail", Commit: strings.Repeat("0a", 20),
	}
}

func bundle(t testing.TB) []byte {
	t.Helper()
	data, err := artifact.Encode(&artifact.Bundle{
		Format: artifact.FormatVersion, ABI: "0123456789abcdef",
		Labels: []artifact.Label{{Name: "zoom", Bit: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sign(t testing.TB, m release.Manifest, key release.PrivateKey) []byte {
	t.Helper()
	data, err := release.Sign(m, bundle(t), key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// accept is all that a router does with the bytes of a release.
func accept(data []byte, keys []release.PublicKey, trust release.Trust) (*artifact.Bundle, error) {
	r, err := release.Open(data, keys)
	if err != nil {
		return nil, err
	}
	if err := trust.Check(r); err != nil {
		return nil, err
	}
	return r.Bundle()
}

func trust() release.Trust {
	return release.Trust{Names: []string{"branch-7", "branches"}, Now: created.Add(time.Hour), Serial: 6}
}

func reasonOf(t *testing.T, err error) release.Reason {
	t.Helper()
	var refusal *release.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return refusal.Reason
}

func TestSignedReleaseIsAccepted(t *testing.T) {
	key := newKey(t)
	data := sign(t, manifest(), key)
	if !bytes.Equal(data, sign(t, manifest(), key)) {
		t.Error("the same manifest and bundle gave another file")
	}
	other := newKey(t)
	r, err := release.Open(data, []release.PublicKey{other.Public(), key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	if r.Key != key.Public().ID() || r.Manifest.Serial != 7 || r.Manifest.Message != "calls <first> & mail" || !bytes.Equal(r.Encoded, bundle(t)) {
		t.Errorf("got %+v", r)
	}
	b, err := accept(data, []release.PublicKey{key.Public()}, trust())
	if err != nil || len(b.Labels) != 1 {
		t.Errorf("got %v, %v", b, err)
	}
	for _, name := range []string{"the release in force", "for any router"} {
		m, tr := manifest(), trust()
		if name == "for any router" {
			m.Target = release.AnyTarget
		} else {
			tr.Serial, tr.Digest = 7, release.Digest(data)
		}
		if _, err := accept(sign(t, m, key), []release.PublicKey{key.Public()}, tr); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryTamperedByteIsRefused changes each byte of a release in each of its
// bits, and then thousands of bytes to others by chance.
func TestEveryTamperedByteIsRefused(t *testing.T) {
	key := newKey(t)
	data := sign(t, manifest(), key)
	keys := []release.PublicKey{key.Public()}
	tried := 0
	try := func(i int, b byte) {
		if data[i] == b {
			return
		}
		tried++
		changed := bytes.Clone(data)
		changed[i] = b
		if _, err := accept(changed, keys, trust()); err == nil {
			t.Errorf("byte %d: %q instead of %q was accepted", i, b, data[i])
		} else if reasonOf(t, err) == "" {
			t.Errorf("byte %d: refused without a reason", i)
		}
	}
	for i := range data {
		for bit := range 8 {
			try(i, data[i]^1<<bit)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		try(random.IntN(len(data)), byte(random.Uint32()))
	}
	for cut := range data {
		tried++
		if _, err := accept(data[:cut], keys, trust()); err == nil {
			t.Errorf("cut after %d bytes it was accepted", cut)
		}
	}
	if tried < 1000 {
		t.Errorf("only %d tampers", tried)
	}
	t.Logf("%d of %d tampered releases of %d bytes refused", tried, tried, len(data))
}

func TestRefusals(t *testing.T) {
	key := newKey(t)
	good := string(sign(t, manifest(), key))
	later := manifest()
	later.Message = "another"
	lines := strings.SplitAfterN(good, "\n", 6) // magic, format, key, signature, manifest, the rest
	tests := []struct {
		name   string
		data   string
		trust  func(*release.Trust)
		keys   []release.PublicKey
		reason release.Reason
		text   string
	}{
		{"no keys at all", good, nil, []release.PublicKey{}, release.UnknownKey, "none of the keys given"},
		{"unknown key", good, nil, []release.PublicKey{newKey(t).Public()}, release.UnknownKey, "key " + key.Public().ID() + " signed it"},
		{"signature stripped", lines[0] + lines[1] + lines[2] + lines[4] + lines[5], nil, nil, release.Unsigned, "it has no signature"},
		{"signature empty", lines[0] + lines[1] + lines[2] + "signature \n" + lines[4] + lines[5], nil, nil, release.BadSignature, "none of ed25519"},
		{"signature of another release", strings.Replace(string(sign(t, later, key)), "another", "an0ther", 1), nil, nil, release.BadSignature, "changed after it was signed"},
		{"plain bundle", string(bundle(t)), nil, nil, release.Unsigned, "netpol sign makes a release of it"},
		{"nothing", "", nil, nil, release.Malformed, "no release of netpol sign"},
		{"a page of the portal", "<html>", nil, nil, release.Malformed, "no release of netpol sign"},
		{"bytes behind it", good + "x", nil, nil, release.WrongBundle, "not the one that was signed"},
		{"cut short", good[:len(good)-1], nil, nil, release.WrongBundle, "not the one that was signed"},
		{"newer form", strings.Replace(good, "format 1\n", "format 2\n", 1), nil, nil, release.NewerFormat, "install a newer one"},
		{"number in another form", strings.Replace(good, "format 1\n", "format 01\n", 1), nil, nil, release.Malformed, "no number"},
		{"huge manifest", strings.Replace(good, lines[4], "manifest 99999999\n", 1), nil, nil, release.TooLarge, "at most 16384"},
		{"endless line", "netpol-release\nformat " + strings.Repeat("1", 1<<20), nil, nil, release.Malformed, "does not end"},
		{"too large", good + strings.Repeat("x", release.MaxBytes), nil, nil, release.TooLarge, "more than"},
		{"for another router", good, func(t *release.Trust) { t.Names = []string{"branch-8"} }, nil, release.OtherTarget, `it is for "branch-7", and this router is "branch-8"`},
		{"replayed", good, func(t *release.Trust) { t.Serial = 8 }, nil, release.Older, "its serial is 7, and this router has had 8"},
		{"same serial, another release", good, func(t *release.Trust) { t.Serial, t.Digest = 7, "other" }, nil, release.SameSerial, "it is another one"},
		{"expired", good, func(t *release.Trust) { t.Now = created.Add(30 * 24 * time.Hour) }, nil, release.Expired, "it expired at 2026-12-01T12:00:00Z"},
		{"a clock that was never set", good, func(t *release.Trust) { t.Now = time.Unix(60, 0) }, nil, release.Future, "set the clock"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			tr := trust()
			if c.trust != nil {
				c.trust(&tr)
			}
			keys := c.keys
			if keys == nil {
				keys = []release.PublicKey{key.Public()}
			}
			_, err := accept([]byte(c.data), keys, tr)
			if got := reasonOf(t, err); got != c.reason || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %s: %v\nwant %s: ...%s...", got, err, c.reason, c.text)
			}
		})
	}
}

func TestSignRefusesWhatNobodyWouldTake(t *testing.T) {
	key := newKey(t)
	tests := []struct {
		name   string
		change func(*release.Manifest)
		want   string
	}{
		{"no serial", func(m *release.Manifest) { m.Serial = 0 }, "serial 0"},
		{"no target", func(m *release.Manifest) { m.Target = "" }, `target ""`},
		{"target with a newline", func(m *release.Manifest) { m.Target = "a\nb" }, "a name has at most 63"},
		{"expires before it begins", func(m *release.Manifest) { m.Expires = m.Created }, "before it was created"},
		{"lasts for ever", func(m *release.Manifest) { m.Expires = m.Created.AddDate(50, 0, 0) }, "at most 3650 days"},
		{"escape sequence", func(m *release.Manifest) { m.Message = "\x1b[2J" }, "printable"},
		{"right to left", func(m *release.Manifest) { m.Author = "\u202eevil" }, "printable"},
		{"long message", func(m *release.Manifest) { m.Message = strings.Repeat("x", 2000) }, "1024 bytes"},
		{"commit", func(m *release.Manifest) { m.Commit = "HEAD" }, "none of git's"},
		{"parts of a second", func(m *release.Manifest) { m.Created = m.Created.Add(1) }, "whole seconds"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			m := manifest()
			c.change(&m)
			if _, err := release.Sign(m, bundle(t), key); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	if _, err := release.Sign(manifest(), []byte("rubbish"), key); err == nil {
		t.Error("rubbish was signed")
	}
}

func FuzzOpen(f *testing.F) {
	key := newKey(f)
	good := sign(f, manifest(), key)
	f.Add(good)
	f.Add(bundle(f))
	f.Add([]byte("netpol-release\nformat 1\nkey 0000000000000000\nsignature "))
	keys := []release.PublicKey{key.Public()}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := release.Open(data, keys)
		if (err == nil) != bytes.Equal(data, good) {
			t.Errorf("got %v, %v for %q", r, err, data)
		}
	})
}
