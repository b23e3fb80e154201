package control

import (
	"errors"
	"testing"
)

type sampleRecord struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Every changed byte and every cut is found; what an older netpol wrote is read.
func TestRecordsShowDamage(t *testing.T) {
	whole, err := EncodeRecord(sampleRecord{"a name of some length", 7})
	if err != nil {
		t.Fatal(err)
	}
	var got sampleRecord
	if err := DecodeRecord(whole, &got); err != nil || got.N != 7 {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i := range whole {
		for bit := range 8 {
			damaged := append([]byte(nil), whole...)
			damaged[i] ^= 1 << bit
			if err := DecodeRecord(damaged, new(sampleRecord)); err == nil {
				t.Errorf("byte %d, bit %d: the damage is not found in %q", i, bit, damaged)
			}
		}
	}
	end := len(whole) - len(sumLine(nil)) // without the digest it is an older netpol's
	for n := range len(whole) {
		if err := DecodeRecord(whole[:n], new(sampleRecord)); err == nil && n != end && n != end-1 {
			t.Errorf("cut to %d bytes: the damage is not found in %q", n, whole[:n])
		}
	}
	if err := DecodeRecord([]byte(`{"name":"old","n":3}`), &got); err != nil || got.Name != "old" {
		t.Errorf("of an older netpol: got %+v, %v", got, err)
	}
	if err := DecodeRecord([]byte("{}\nsha256 00\n"), &got); !errors.Is(err, ErrRecord) {
		t.Errorf("another digest: got %v, want %v", err, ErrRecord)
	}
}
