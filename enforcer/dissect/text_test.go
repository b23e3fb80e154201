package dissect

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

func TestSetHostname(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := []struct{ name, in, want string }{
		{"plain", "www.example.com", "www.example.com"},
		{"upper case", "WwW.EXAMPLE.com", "www.example.com"},
		{"trailing dot", "example.com.", "example.com"},
		{"single label", "localhost", "localhost"},
		{"underscore", "_dmarc.example.com", "_dmarc.example.com"},
		{"label of digits inside", "1.0.0.127.in-addr.arpa", "1.0.0.127.in-addr.arpa"},
		{"longest label", long + ".com", long + ".com"},
		{"empty", "", ""},
		{"dot only", ".", ""},
		{"two trailing dots", "example.com..", ""},
		{"empty label", "a..b", ""},
		{"leading dot", ".example.com", ""},
		{"IPv4", "192.0.2.1", ""},
		{"IPv4 as one number", "3221225985", ""},
		{"IPv6", "2001:db8::1", ""},
		{"NUL", "good.test\x00.evil.test", ""},
		{"escape sequence", "\x1b[2Jexample.com", ""},
		{"newline", "example.com\n", ""},
		{"non-ASCII", "ex\xc3\xa4mple.com", ""},
		{"quote", `x";flush`, ""},
		{"label too long", long + "a.com", ""},
		{"name too long", strings.Repeat("a.", 126) + "com", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			ok := SetHostname(&f, []byte(tt.in), fact.BySNI)
			if f.Hostname != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q %v, want %q", f.Hostname, ok, tt.want)
			}
			if wantBy := map[bool]string{true: fact.BySNI, false: ""}[ok]; f.By != wantBy {
				t.Errorf("by: got %q, want %q", f.By, wantBy)
			}
		})
	}
}

func TestSetHostnameTwiceDoesNotAllocate(t *testing.T) {
	var f fact.Facts
	in := []byte("WWW.example.com.")
	SetHostname(&f, in, fact.BySNI)
	if n := testing.AllocsPerRun(100, func() { SetHostname(&f, in, fact.BySNI) }); n != 0 {
		t.Errorf("allocations: got %v, want 0", n)
	}
}

func TestAppendEscaped(t *testing.T) {
	got := string(AppendEscaped(nil, []byte("a,b\\c\x00\x1b\xffz"), ','))
	if want := `a\x2cb\x5cc\x00\x1b\xffz`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzSetHostname(f *testing.F) {
	f.Add([]byte("www.Example.com."))
	f.Fuzz(func(t *testing.T, in []byte) {
		var a, b fact.Facts
		if !SetHostname(&a, in, fact.BySNI) {
			return
		}
		if !SetHostname(&b, []byte(a.Hostname), fact.BySNI) || a != b {
			t.Errorf("not canonical: %q gave %q gave %q", in, a.Hostname, b.Hostname)
		}
	})
}
