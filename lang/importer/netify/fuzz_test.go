package netify

import (
	"testing"

	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/importer/importertest"
)

// FuzzCriteria: criteria either fail inside their text, or give a tree whose
// canonical form is read as the same tree.
func FuzzCriteria(f *testing.F) {
	for _, seed := range []string{
		"app == 'zoom';", "*", "", "!ai:netify.zoom", "a; b;", "app == 'zoom' && proto == 'tls' || vlan_id;",
		"detected_hostname != 'rx:^cdn(a|b)\\.';", "local_ip == fe80::/10 and other_mac == 00:11:22:33:44:55;",
		"((((vlan_id > 0x10 || vlan_id < -1.5))));", "origin == origin_remote && other_ip != @kids ;", "app == \"zoom\" ; ;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, fault := parse(text)
		if fault != nil {
			if fault.from < 0 || fault.from > len(text) || fault.to <= fault.from || fault.why == "" {
				t.Fatalf("got fault %+v", fault)
			}
			return
		}
		if s.root == nil {
			if !s.all && !s.empty {
				t.Fatal("no tree and no reason")
			}
			return
		}
		if compactForm.MatchString(text) {
			return
		}
		again := canonical(s.root, text)
		s2, fault := parse(again + ";")
		if fault != nil {
			t.Fatalf("canonical form %q: %s", again, fault.why)
		}
		if got := canonical(s2.root, again+";"); got != again {
			t.Fatalf("got %q, want %q", got, again)
		}
		if len(s2.mixed) > 0 {
			t.Fatalf("canonical form %q mixes operators", again)
		}
	})
}

// FuzzImport: whatever the input, what is written can be read, and every
// finding has a place inside the file.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"version":1,"targets":{"t":{"target_type":"ctlabel","labels":["zoom",3,"a_b"]}},"actions":{"zoom":{"criteria":"app == 'zoom';","targets":["t"],"exemptions":["10.0.0.1","vlan_id;"]}},"exemptions":["fd00::1"]}`,
		`{"targets":{"m":{"target_type":"ctmark","mark":"0x1","mask":"0xff","shift":8}},"actions":{"a\u0041":{"criteria":["*","\u0061pp;"],"targets":["m","x"],"halt_on_match":true,"interface":"lan"},"b":{"criteria":"!vlan_id;","targets":["m"]}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		importertest.CheckParses(t, src, Import(importer.Input{Name: "in.json", Source: src, Names: importertest.Vocabulary()}))
	})
}
