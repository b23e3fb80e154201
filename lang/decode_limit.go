package lang

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/quantity"
)

// A token bucket of the kernel (net/netfilter/nft_limit.c) is filled in
// nanoseconds of 64 bits: its unit in nanoseconds times rate and burst must fit.
const (
	minBurstPackets = 5 // nft's own default
	minBurstBytes   = 64_000
	burstPart       = 10 // of what passes in a second
	maxBurst        = math.MaxUint32
)

// limitUnit is a unit of time that nft knows, and how people write it.
type limitUnit struct {
	size  time.Duration
	words []string
}

func limitUnits() []limitUnit {
	return []limitUnit{
		{time.Second, []string{"s", "sec", "second"}},
		{time.Minute, []string{"m", "min", "minute"}},
		{time.Hour, []string{"h", "hour"}},
		{24 * time.Hour, []string{"d", "day"}},
		{7 * 24 * time.Hour, []string{"w", "week"}},
	}
}

// rateRule is how rates are written.
const rateRule = `A rate is bits, bytes or packets in a time: "10Mbit/s", "500kB/s", "100/second", "30/minute"`

// limit reads a rate, with the burst that it has unless another is written.
func (d *decoder) limit(t Text) *Limit {
	bad := func(code, format string, args ...any) *Limit {
		d.diags.Add(diag.New(code, t.Range, fmt.Sprintf(format, args...)).WithHint(rateHint(t.Value)))
		return nil
	}
	amount, word, timed := strings.Cut(t.Value, "/")
	unit := time.Second
	if timed {
		if unit = unitOf(word); unit == 0 {
			return bad(diag.InvalidQuantity, "%q is not a rate: %q is not a unit of time. %s.", t.Value, word, rateRule)
		}
	}
	n, _, isPackets := quantity.Number(withoutWord(amount), quantity.Packets)
	if !isPackets {
		var ok bool
		if n, _, ok = quantity.Number(amount, quantity.Rate); !ok {
			return bad(diag.InvalidQuantity, "%q is not a rate. %s.", t.Value, rateRule)
		}
	}
	if isBits := strings.HasSuffix(strings.ToLower(strings.TrimSpace(amount)), "bit"); !timed && !isBits {
		return bad(diag.InvalidQuantity, "%q says nothing of time. %s.", t.Value, rateRule)
	}
	if isPackets && !n.IsInt() {
		return bad(diag.InvalidQuantity, "%q is a part of a packet. Write the rate for a longer time, such as a minute or an hour.", t.Value)
	}
	l := &Limit{Unit: unit, Bytes: !isPackets}
	if !l.set(n) {
		return bad(diag.NumberOutOfRange, "%q is not a rate that the kernel can keep: that is from 1 packet a week to 100 million a second, and from 1000 bytes an hour to 16 GB a second.", t.Value)
	}
	return l
}

// set fills in the rate and its burst. Bytes are counted by the second where
// that is exact enough: a bucket of bytes holds the whole unit's besides the
// burst, and an hour's at once is no limit that anybody means.
func (l *Limit) set(n *big.Rat) bool {
	if l.Bytes {
		for _, finer := range []time.Duration{time.Second, time.Minute, time.Hour} {
			in := new(big.Rat).Mul(n, big.NewRat(int64(finer), int64(l.Unit)))
			if in.Cmp(big.NewRat(1000, 1)) >= 0 || finer == time.Hour {
				n, l.Unit = in, finer
				break
			}
		}
	}
	// Rounded to the nearest.
	whole := new(big.Int).Quo(new(big.Int).Add(new(big.Int).Lsh(n.Num(), 1), n.Denom()), new(big.Int).Lsh(n.Denom(), 1))
	low := int64(1)
	if l.Bytes && l.Unit == time.Hour {
		low = 1000
	}
	if !whole.IsInt64() || whole.Int64() < low || !l.Bytes && whole.Int64() > 100_000_000 {
		return false
	}
	l.Rate = whole.Uint64()
	l.Burst = l.defaultBurst()
	return l.fits(uint64(l.Burst))
}

// defaultBurst is a tenth of what passes in a second.
func (l *Limit) defaultBurst() uint32 {
	least := uint64(minBurstPackets)
	if l.Bytes {
		least = minBurstBytes
	}
	return uint32(min(max(least, l.Rate/uint64(l.Unit/time.Second)/burstPart), maxBurst))
}

// fits says that the kernel can keep the bucket with a burst.
func (l *Limit) fits(burst uint64) bool {
	if !l.Bytes {
		return uint64(l.Unit)/l.Rate <= math.MaxInt64/max(burst, 1)
	}
	return burst <= math.MaxUint64-l.Rate && l.Rate+burst <= math.MaxUint64/uint64(l.Unit)
}

// burst reads the burst of a limit.
func (d *decoder) burst(t Text, l *Limit) {
	unit, example := quantity.Packets, `"20"`
	if l.Bytes {
		unit, example = quantity.Bytes, `"64KB"`
	}
	n, problem := quantity.Parse(t.Value, unit)
	switch {
	case problem == quantity.NoNumber || problem == quantity.NotWhole:
		d.diags.Add(diag.New(diag.InvalidQuantity, t.Range, fmt.Sprintf("%q is not a number of %s, which the rate is of; for example %s.", t.Value, unit, example)))
	case problem == quantity.TooLarge || n < 1 || uint64(n) > maxBurst || !l.fits(uint64(n)):
		d.diags.Add(diag.New(diag.NumberOutOfRange, t.Range, fmt.Sprintf("A burst is at least 1 and at most %d, and less for rates of an hour or more; %s is usual.", uint64(maxBurst), example)))
	default:
		l.Burst = uint32(n)
	}
}

// unitOf is a unit of time by its word, 0 for none.
func unitOf(word string) time.Duration {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, u := range limitUnits() {
		if slices.Contains(u.words, word) {
			return u.size
		}
	}
	return 0
}

// withoutWord takes the word "packets" off a number of them.
func withoutWord(s string) string {
	s = strings.TrimSpace(s)
	for _, word := range []string{"packets", "packet", "pkts", "p"} {
		if number, ok := strings.CutSuffix(s, word); ok {
			return number
		}
	}
	return s
}

// rateHint knows the slips that people make.
func rateHint(text string) string {
	text = strings.TrimSpace(text)
	if number, ok := strings.CutSuffix(text, "pps"); ok {
		if _, _, ok := quantity.Number(number, quantity.Packets); ok {
			return fmt.Sprintf("write \"%s/second\"", strings.TrimSpace(number))
		}
	}
	amount, _, timed := strings.Cut(text, "/")
	if _, named, ok := quantity.Number(amount, quantity.Rate); ok && !timed {
		if named {
			return fmt.Sprintf("write \"%s/s\"", amount)
		}
		return fmt.Sprintf("write \"%skbit/s\", or \"%s/second\" for packets", amount, amount)
	}
	if bits, ok := strings.CutSuffix(text, "bps"); ok {
		prefix := strings.TrimLeft(bits, "0123456789. ")
		if p, ok := map[string]string{"": "", "k": "k", "K": "k", "m": "M", "M": "M", "g": "G", "G": "G"}[prefix]; ok && prefix != bits {
			return fmt.Sprintf("write \"%s%sbit/s\"", strings.TrimSpace(strings.TrimSuffix(bits, prefix)), p)
		}
	}
	return ""
}
