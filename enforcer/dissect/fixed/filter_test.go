package fixed

import (
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
)

// TestFilters changes each byte of what passes a row's tests, and cuts it short:
// a filter excludes only what the tests do not pass.
func TestFilters(t *testing.T) {
	for _, x := range sides(New()) {
		for i := range x.table.rows {
			r := &x.table.rows[i]
			asked := sample(r.first)
			each(asked, func(b []byte) {
				h := newHead(b)
				if got := (input{bytes: b, stream: x.stream}).hold(r.first); x.table.filters[i].excludes(&h, x.stream) && got != no {
					t.Errorf("%s (%s): %q excluded, the tests say %d", r.tag, r.source, b, got)
				}
			})
			if len(r.reply) == 0 || x.stream {
				continue
			}
			each(sample(r.reply), func(b []byte) {
				h := newHead(b)
				if got := (input{bytes: b, asked: asked}).hold(r.reply); x.table.answers[i].excludes(&h, false) && got != no {
					t.Errorf("%s (%s): answer %q excluded, the tests say %d", r.tag, r.source, b, got)
				}
			})
		}
	}
}

// side is a table of rows.
type side struct {
	table  *table
	stream bool
}

func sides(d *Dissector) []side { return []side{{&d.tcp, true}, {&d.udp, false}} }

// each calls check with the beginnings of whole and with each of its bytes changed.
func each(whole []byte, check func(b []byte)) {
	for k := range whole {
		check(whole[:k])
		for _, flip := range []byte{0, 1, 0x20, 0x80, 0xff} {
			b := append([]byte(nil), whole...)
			b[k] ^= flip
			check(b)
		}
	}
}

// TestSieve: what does not fail a row's tests is tried on the row, on one of its ports if it has some.
func TestSieve(t *testing.T) {
	for _, x := range sides(New()) {
		for i := range x.table.rows {
			r := &x.table.rows[i]
			each(sample(r.first), func(b []byte) {
				if len(b) == 0 || (input{bytes: b, stream: x.stream}).hold(r.first) == no {
					return
				}
				var w dissect.Window
				if len(r.ports) > 0 {
					w.SrcPort = r.ports[len(r.ports)-1]
				}
				tried := false
				h := newHead(b)
				x.table.candidates(&w, &h, x.stream, len(x.table.rows), func(k int) bool {
					tried = tried || k == i
					return false
				})
				if !tried {
					t.Errorf("%s (%s): %q is not tried", r.tag, r.source, b)
				}
			})
		}
	}
}

// TestFilterSaysMost: the filter of a row with fixed bytes has them, at the beginning or at the end.
func TestFilterSaysMost(t *testing.T) {
	f := newFilter(all(size(12, 20), at(2, "ab"), masked(8, "\x10", "\xf0"), between(9, 1, 0, 15)), new(fixedBytes))
	if f.offset != 2 || f.mask != 0xf0f0<<48|0xffff || f.at != 9 || f.to != 15 || f.want != 0x0010<<48|'b'<<8|'a' || f.low != 12 || f.high != 20 {
		t.Errorf("got %+v", f)
	}
	f = newFilter(all(at(0, "ab"), last("trailing")), new(fixedBytes))
	for b, excluded := range map[string]bool{"ab, trailing": false, "trailing": false, "ab trailing.": true, "ab": true} {
		if h := newHead([]byte(b)); f.excludes(&h, false) != excluded || f.excludes(&h, true) {
			t.Errorf("%q: excluded %v, in a stream %v; want %v, false", b, f.excludes(&h, false), f.excludes(&h, true), excluded)
		}
	}
}
