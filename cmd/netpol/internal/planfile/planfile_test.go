package planfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

func sample() Plan {
	return Plan{
		Live:       "aa11",
		Revision:   7,
		Bundle:     &artifact.Bundle{Format: artifact.FormatVersion, ABI: "abi", Labels: []artifact.Label{{Name: "zoom", Bit: 3}}},
		LockPath:   "/etc/netpol/netpol.lock.hcl",
		LockBefore: "bb22",
		LockAfter:  "label \"zoom\" {}\n",
	}
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	data, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bundle.Digest() != want.Bundle.Digest() {
		t.Errorf("bundle digest %s, want %s", got.Bundle.Digest(), want.Bundle.Digest())
	}
	got.Bundle, want.Bundle = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	data, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	tests := []struct {
		name, in string
		want     error
	}{
		{"empty", "", ErrNotPlan},
		{"a bundle", "netpol-bundle\nformat 1\n", ErrNotPlan},
		{"other JSON", `{"type":"x"}`, ErrNotPlan},
		{"unknown field", strings.Replace(good, `"type"`, `"more":1,"type"`, 1), ErrNotPlan},
		{"later version", strings.Replace(good, `"format_version": 2`, `"format_version": 3`, 1), ErrVersion},
		{"revision below zero", strings.Replace(good, `"revision": 7`, `"revision": -7`, 1), ErrDamaged},
		{"truncated", good[:len(good)-20], ErrNotPlan},
		{"trailing bytes", good + "{}", ErrDamaged},
		{"digest of another bundle", strings.Replace(good, `"bundle_digest": "`, `"bundle_digest": "0`, 1), ErrDamaged},
		{"no live digest", strings.Replace(good, `"aa11"`, `""`, 1), ErrDamaged},
		{"relative lock path", strings.Replace(good, `"/etc/netpol/`, `"etc/netpol/`, 1), ErrDamaged},
		{"another file as lock", strings.Replace(good, `/etc/netpol/netpol.lock.hcl`, `/etc/passwd`, 1), ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.in == good {
				t.Fatal("the case does not change the plan")
			}
			if _, err := Decode(strings.NewReader(tt.in)); !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	data, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"type":"netpol-plan","format_version":1}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := Decode(bytes.NewReader(in))
		if (err == nil) != (p.Bundle != nil) {
			t.Errorf("bundle %v with error %v", p.Bundle, err)
		}
	})
}
