package fact

import (
	"crypto/tls"
	"strings"
	"testing"
)

// TestCiphersAgreeWithGo holds the table to the suites that crypto/tls knows,
// whose insecure ones, RC4 and 3DES, are weak here as well.
func TestCiphersAgreeWithGo(t *testing.T) {
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		name := strings.TrimSuffix(c.Name, "_OLD")
		if got := CipherName(int(c.ID)); got != name {
			t.Errorf("0x%04x: got %s, want %s", c.ID, got, name)
		}
		if n, ok := CipherNumber(strings.ToLower(name)); !ok || n != int(c.ID) {
			t.Errorf("%s: got 0x%04x %v, want 0x%04x", name, n, ok, c.ID)
		}
		if weak := strings.Contains(name, "RC4") || strings.Contains(name, "3DES"); WeakCipher(int(c.ID)) != weak {
			t.Errorf("%s: weak is %v", name, !weak)
		}
	}
}

func TestWeakCiphers(t *testing.T) {
	for n, want := range map[int]bool{
		0x0000: true,  // no protection
		0x003b: true,  // no encryption
		0x0034: true,  // nobody authenticated
		0x0008: true,  // export
		0x0009: true,  // DES
		0x002f: false, // no forward secrecy is another matter
		0x1301: false,
		0xffff: false, // not known is not weak
	} {
		if got := WeakCipher(n); got != want {
			t.Errorf("%s: got %v, want %v", CipherName(n), got, want)
		}
	}
	if got := CipherName(0xfefe); got != "0xfefe" {
		t.Errorf("number without a name: got %s", got)
	}
}
