package lang

import (
	"math/big"
	"testing"
	"time"

	"github.com/netpol/netpol/lang/diag"
)

func TestLimit(t *testing.T) {
	tests := []struct {
		in   string
		want Limit // zero for a mistake
		hint string
	}{
		{in: "10Mbit/s", want: Limit{1_250_000, time.Second, 125_000, true}},
		{in: "10Mbit", want: Limit{1_250_000, time.Second, 125_000, true}},
		{in: "500 kB/sec", want: Limit{500_000, time.Second, 64_000, true}},
		{in: "1GiB/hour", want: Limit{298_262, time.Second, 64_000, true}},
		{in: "1 packet/week", want: Limit{1, 7 * 24 * time.Hour, 5, false}},
		{in: "10k/s", want: Limit{10_000, time.Second, 1000, false}},
		{in: "100M/s", want: Limit{100_000_000, time.Second, 10_000_000, false}},
		{in: "147Gbit/s", want: Limit{18_375_000_000, time.Second, 0, true}}, // its burst would be over the kernel's bucket
		{in: "101M/s"},
		{in: "10mbps", hint: `write "10Mbit/s"`},
		{in: "10 kbps", hint: `write "10kbit/s"`},
		{in: "5 pps", hint: `write "5/second"`},
		{in: "5MB", hint: `write "5MB/s"`},
		{in: "5 apples/s"},
		{in: "/s"},
		{in: ""},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			var d decoder
			got := d.limit(Text{Value: tt.in})
			if (got == nil) != (len(d.diags) == 1) {
				t.Fatalf("got %+v with %d diagnostics", got, len(d.diags))
			}
			if tt.want.Burst == 0 {
				if got != nil || d.diags[0].Hint != tt.hint {
					t.Fatalf("got %+v and %v, want a mistake with the hint %q", got, d.diags, tt.hint)
				}
				return
			}
			if got == nil || *got != tt.want {
				t.Errorf("got %+v and %v, want %+v", got, d.diags, tt.want)
			}
		})
	}
}

// A rate that is taken fits the kernel's arithmetic (nft_limit_init); one that is
// not is one mistake.
func FuzzLimit(f *testing.F) {
	for _, s := range []string{"10Mbit/s", "100/second", "1kB/h", "18GB/s", "1/week", "0.5/s", "10Mbps", "5"} {
		f.Add(s, "64KB")
		f.Add(s, "4294967295")
	}
	f.Fuzz(func(t *testing.T, text, burst string) {
		var d decoder
		l := d.limit(Text{Value: text, Range: diag.Range{Filename: "a"}})
		if l == nil {
			if len(d.diags) != 1 {
				t.Fatalf("%q: got %d diagnostics, want 1", text, len(d.diags))
			}
			return
		}
		d.burst(Text{Value: burst, Range: diag.Range{Filename: "a"}}, l)
		if l.Rate == 0 || l.Burst == 0 || l.Unit < time.Second {
			t.Fatalf("%q: got %+v", text, l)
		}
		unit, rate, size := big.NewInt(int64(l.Unit)), new(big.Int).SetUint64(l.Rate), big.NewInt(int64(l.Burst))
		var tokens *big.Int
		if l.Bytes {
			tokens = new(big.Int).Mul(unit, new(big.Int).Add(rate, size))
		} else {
			tokens = new(big.Int).Mul(new(big.Int).Quo(unit, rate), size)
		}
		if !tokens.IsUint64() {
			t.Fatalf("%q, burst %q: the bucket %v does not fit the kernel: %+v", text, burst, tokens, l)
		}
	})
}
