package nft

import (
	"bytes"
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
)

// Text renders the table as a file for "nft -f". Loading it replaces the
// table atomically, whether or not it is there (nft before 1.0.7 has no
// "destroy"), and touches no other. Labels stand as bit numbers, because a
// host without connlabel.conf must be able to check the file; the head of the
// file says which name is which bit.
func Text(rs artifact.Ruleset, labels []artifact.Label) []byte {
	var b bytes.Buffer
	name := artifact.Word(rs.Family) + " " + artifact.Word(rs.Table)
	b.WriteString("# Made by netpol compile. \"nft -f\" replaces this table and no other.\n")
	for _, l := range labels {
		fmt.Fprintf(&b, "# label %d is %s\n", l.Bit, artifact.Word(l.Name))
	}
	fmt.Fprintf(&b, "add table %s\ndelete table %s\ntable %s {\n", name, name, name)
	if rs.Persist {
		b.WriteString("\t# flags persist: netpold may own the table; nft has the word from 1.1 on\n")
	}
	for _, o := range rs.Objects {
		fmt.Fprintf(&b, "\t%s\n", o)
	}
	for _, f := range rs.Flowtables {
		fmt.Fprintf(&b, "\t%s\n", f)
	}
	for _, set := range rs.Sets {
		writeSet(&b, set)
	}
	for i, c := range rs.Chains {
		if i > 0 || len(rs.Sets) > 0 {
			b.WriteByte('\n')
		}
		writeChain(&b, c)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func writeSet(b *bytes.Buffer, s artifact.Set) {
	word := "set"
	if s.Map {
		word = "map"
	}
	fmt.Fprintf(b, "\t%s %s {\n", word, artifact.Word(s.Name))
	for _, schedule := range s.Schedules {
		fmt.Fprintf(b, "\t\t# filled from the clock: %s\n", schedule)
	}
	fmt.Fprintf(b, "\t\t%s\n", s.Declaration())
	if text := s.Text(); text != "" {
		fmt.Fprintf(b, "\t\telements = { %s }\n", text)
	}
	b.WriteString("\t}\n")
}

func writeChain(b *bytes.Buffer, c artifact.Chain) {
	fmt.Fprintf(b, "\tchain %s {\n", artifact.Word(c.Name))
	if c.Hook != "" {
		fmt.Fprintf(b, "\t\ttype %s hook %s priority %d; policy accept;\n",
			artifact.Word(c.Type), artifact.Word(c.Hook), c.Priority)
	}
	for _, r := range c.Rules {
		fmt.Fprintf(b, "\t\t%s comment \"%s\"\n", r.Text(), r.UserComment())
	}
	b.WriteString("\t}\n")
}
