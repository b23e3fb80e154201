package lang

import (
	"testing"
)

func FuzzParseTests(f *testing.F) {
	for _, seed := range []string{
		"test \"a\" {\n  flow {\n    app = \"zoom\"\n    alpn = [\"h2\"]\n  }\n  expect {\n    policies = [\"p\"]\n    dscp = 40\n    mark = \"0x1/0x3\"\n  }\n}\n",
		"test \"a\" {\n  pcap = \"x.pcap\"\n  flow = \"tcp\"\n  where = \"app == 'zoom'\"\n  count = 3\n}\n",
		"test {}\npolicy \"a\" {}\ntest \"b\" {\n  expect {\n    verdict = null\n    labels = {}\n    tls_version = 1.2\n  }\n}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		set, diags := ParseTests(map[string][]byte{"a.nptest.hcl": []byte(src)})
		for _, d := range diags {
			if end := d.Subject.End.Byte; end > len(src) || d.Subject.Start.Byte < 0 {
				t.Errorf("%v: outside of the file", d)
			}
		}
		for _, test := range set.Tests {
			if !diags.HasErrors() && test.Expect == nil && test.Count == nil {
				t.Errorf("test %q expects nothing, and no fault was told", test.Name)
			}
		}
	})
}

func TestNewCriteriaPointsIntoItsLine(t *testing.T) {
	c := NewCriteria("console", "é == 'zom'")
	if got := c.RangeOf(6, 11).String(); got != "console:1:6" { // é is two bytes and one column
		t.Errorf("got %s, want console:1:6", got)
	}
}
