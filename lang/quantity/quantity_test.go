package quantity

import (
	"math/big"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, in, unit string
		want           int
		problem        Problem
	}{
		{"plain", "10", Bytes, 10, None},
		{"decimal multiple", "10MB", Bytes, 10_000_000, None},
		{"binary multiple, with a space", " 1.5 KiB ", Bytes, 1536, None},
		{"another spelling", "2KB", Bytes, 2000, None},
		{"bits", "2Mbit", Rate, 250_000, None},
		{"bits a second", "2Mbit/s", Rate, 250_000, None},
		{"bytes a second", "2MB/s", Rate, 2_000_000, None},
		{"bits are no amount", "2Mbit", Bytes, 0, NoNumber},
		{"a rate is no amount", "2MB/s", Bytes, 0, NoNumber},
		{"packets", "10k", Packets, 10_000, None},
		{"time", "1.5h", Seconds, 5400, None},
		{"half a byte", "0.5", Bytes, 0, NotWhole},
		{"a bit", "1bit", Rate, 0, NotWhole},
		{"too large", "999999999999TB", Bytes, 0, TooLarge},
		{"negative", "-1", Bytes, 0, NoNumber},
		{"nothing", "", Bytes, 0, NoNumber},
		{"no number", "MB", Bytes, 0, NoNumber},
		{"milliseconds", "20ms", Micros, 20_000, None},
		{"a part of a second", "1.5 s", Micros, 1_500_000, None},
		{"a part of a microsecond", "0.5us", Micros, 0, NotWhole},
		{"minutes are no times of connections", "1m", Micros, 0, NoNumber},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problem := Parse(tt.in, tt.unit)
			if got != tt.want || problem != tt.problem {
				t.Errorf("Parse(%q, %s): got %d, problem %d; want %d, problem %d", tt.in, tt.unit, got, problem, tt.want, tt.problem)
			}
		})
	}
}

func TestHint(t *testing.T) {
	tests := []struct{ name, in, unit, want string }{
		{"seconds in words", "5 minutes", Seconds, "write '5m'"},
		{"bits where bytes are meant", "5Mbit", Bytes, "this is an amount and no rate; amounts are in bytes: 'MB'"},
		{"a small letter", "5mb", Bytes, "write '5MB'"},
		{"bits or bytes", "5Mbps", Rate, "write '5MB' for bytes, or '5Mbit' for bits"},
		{"no idea", "5 apples", Bytes, ""},
		{"milliseconds in letters", "20msec", Micros, "write '20ms'"},
		{"no time", "20 apples", Micros, ""},
		{"no number", "much", Bytes, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Hint(tt.in, tt.unit, "'"); got != tt.want {
				t.Errorf("Hint(%q, %s): got %q, want %q", tt.in, tt.unit, got, tt.want)
			}
		})
	}
}

// What Hint tells people to write can be read, and whatever can be read is what
// was written times one of the units.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"10MB", "2Mbps", "1.5GiB", "5 min", "0.5", "9e9", "5mb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, unit := range []string{Bytes, Rate, Packets, Seconds, Micros} {
			n, problem := Parse(text, unit)
			exact, _, ok := Number(text, unit)
			if ok == (problem == NoNumber) || problem == None && exact.Cmp(big.NewRat(int64(n), 1)) != 0 {
				t.Fatalf("Parse(%q, %s): got %d, problem %d; Number: got %v, %v", text, unit, n, problem, exact, ok)
			}
			if problem != NoNumber {
				continue
			}
			for _, part := range strings.Split(Hint(text, unit, "'"), "'") {
				if strings.ContainsAny(part, "0123456789") && !strings.ContainsRune(part, ' ') {
					if _, _, ok := Number(part, unit); !ok {
						t.Fatalf("Hint(%q, %s) says %q, which cannot be read", text, unit, part)
					}
				}
			}
		}
	})
}
