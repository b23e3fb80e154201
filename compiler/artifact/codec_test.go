package artifact_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

// sample is a small bundle with a value in every kind of field.
func sample() *artifact.Bundle {
	return &artifact.Bundle{
		Format:   artifact.FormatVersion,
		ABI:      "0123456789abcdef",
		Settings: artifact.Settings{LogGroup: 4788, InspectPacket: 32, DoneMark: 1 << 31},
		Labels:   []artifact.Label{{Name: "np-seen", Bit: 0, Auto: true}, {Name: "zoom", Bit: 1}},
		Policies: []artifact.Policy{{
			Name: "zoom", File: "a.netpol.hcl", Line: 1, Criteria: "app == 'zoom' && local_ip in ['10.0.0.0/8']",
			Labels: []string{"zoom"}, Mark: &artifact.Mark{Value: 1, Mask: 0xff}, DSCP: "cs5",
		}},
		Program: artifact.Program{
			Engine: artifact.Engine,
			Tests: []artifact.Test{
				{Op: artifact.TestEqual, Attribute: "application", Text: []string{"zoom"}},
				{Op: artifact.TestNetwork, Attribute: "local_ip", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
			},
			Clauses: []artifact.Clause{{If: []artifact.Literal{0, ^1}}},
			Effects: []artifact.Effect{{Labels: []int{1}, DSCP: artifact.Claim{Kind: artifact.ClaimOwn}}},
		},
		Ruleset:   artifact.Ruleset{Family: "inet", Table: "netpol"},
		Catalogue: artifact.Catalogue{Digest: "x", Categories: []artifact.Category{{Tag: "voip"}}},
	}
}

func encode(t testing.TB, b *artifact.Bundle) []byte {
	t.Helper()
	data, err := artifact.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	data := encode(t, want)
	got, err := artifact.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("Decode(Encode(b)) differs (-want +got):\n%s", diff)
	}
	if again := encode(t, got); !bytes.Equal(data, again) {
		t.Error("encoding a decoded bundle gives other bytes")
	}
	if d := got.Digest(); !strings.Contains(string(data), "\nsha256 "+d+"\n") {
		t.Errorf("Digest() = %s, not the header's", d)
	}
}

func TestDigestFollowsContent(t *testing.T) {
	a, b := sample(), sample()
	if a.Digest() != b.Digest() {
		t.Error("equal bundles have different digests")
	}
	b.Policies[0].Line++
	if a.Digest() == b.Digest() {
		t.Error("different bundles have the same digest")
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(encode(t, sample()))
	tests := []struct {
		name string
		in   string
		want error
	}{
		{"empty", "", artifact.ErrTruncated},
		{"half the magic", good[:5], artifact.ErrTruncated},
		{"header only", good[:strings.IndexByte(good, '{')], artifact.ErrTruncated},
		{"half the header", good[:40], artifact.ErrTruncated},
		{"last byte gone", good[:len(good)-1], artifact.ErrTruncated},
		{"one byte more", good + "\n", artifact.ErrTrailing},
		{"another file", "#!/usr/sbin/nft -f\nflush ruleset\n", artifact.ErrMagic},
		{"newer format", strings.Replace(good, "format 1\n", "format 2\nsomething else", 1), artifact.ErrNewer},
		{"format zero", strings.Replace(good, "format 1\n", "format 0\n", 1), artifact.ErrFormat},
		{"format not a number", strings.Replace(good, "format 1\n", "format x\n", 1), artifact.ErrHeader},
		{"format padded", strings.Replace(good, "format 1\n", "format 01\n", 1), artifact.ErrHeader},
		{"endless header line", good[:len("netpol-bundle\n")] + strings.Repeat("x", 1000), artifact.ErrHeader},
		{"payload changed", strings.Replace(good, `"zoom"`, `"zoon"`, 1), artifact.ErrDigest},
		{"too large", strings.Repeat("x", artifact.MaxBytes+1), artifact.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if b, err := artifact.Decode([]byte(tt.in)); !errors.Is(err, tt.want) || b != nil {
				t.Errorf("Decode = %v, %v; want %v", b, err, tt.want)
			}
		})
	}
}

// TestNewerFields: what a newer program has put in is no damage, and its way out is
// another than that of damage.
func TestNewerFields(t *testing.T) {
	good := string(encode(t, sample()))
	head, body, _ := strings.Cut(good, "{")
	body = `{"dances":true,` + body
	sum := sha256.Sum256([]byte(body))
	lines := strings.Split(head, "\n")
	lines[2], lines[3] = "sha256 "+hex.EncodeToString(sum[:]), fmt.Sprint("size ", len(body))
	_, err := artifact.Decode([]byte(strings.Join(lines, "\n") + body))
	const want = `it has "dances", which this program does not know; install a newer netpol: bundle is newer than this program reads`
	if !errors.Is(err, artifact.ErrNewer) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if way := artifact.WayOut(err); way == artifact.WayOut(artifact.ErrDigest) || !strings.Contains(way, "the version that made it") {
		t.Errorf("the way out is %q", way)
	}
}

func TestEncodeRefusesOtherFormat(t *testing.T) {
	b := sample()
	b.Format = artifact.FormatVersion + 1
	if _, err := artifact.Encode(b); !errors.Is(err, artifact.ErrFormat) {
		t.Errorf("Encode of format %d: %v, want %v", b.Format, err, artifact.ErrFormat)
	}
}

func TestEveryFlipIsDetected(t *testing.T) {
	good := encode(t, sample())
	data := bytes.Clone(good)
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			if _, err := artifact.Decode(data); err == nil {
				t.Errorf("byte %d bit %d: the change went unseen", i, bit)
			}
			data[i] = good[i]
		}
	}
}

func TestEngineIsTheOneInGoMod(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("github.com/expr-lang/%s", artifact.Engine)
	if !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not require %q; bytecode of bundles depends on it", want)
	}
}

func FuzzDecode(f *testing.F) {
	good := encode(f, sample())
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("netpol-bundle\nformat 1\nsha256 x\nsize 0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := artifact.Decode(data)
		if (b == nil) == (err == nil) {
			t.Fatalf("Decode = %v, %v: want exactly one", b, err)
		}
		if err != nil {
			return
		}
		again, err := artifact.Encode(b)
		if err != nil {
			t.Fatalf("encode what was decoded: %v", err)
		}
		if _, err := artifact.Decode(again); err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
	})
}
