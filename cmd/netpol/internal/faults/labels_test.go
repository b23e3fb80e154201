package faults

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/ct"
)

// labelReplaced removes a label that live connections carry, with its line in the
// lock, and adds another one whose connections are stopped.
func labelReplaced(t *trial) {
	w := newWorld(t)
	w.apply()
	w.write("policies/some.netpol.hcl", fmt.Sprintf("policy \"old\" {\n  criteria = \"dst_port == %d\"\n  label    = \"old\"\n}\n", plainPort))
	w.apply()
	w.netpold()
	var live []net.Conn
	for range 1000 {
		conn := w.connect(plainPort)
		w.ping(conn)
		live = append(live, conn)
	}
	old := w.carriedBy(1000)
	w.write("policies/some.netpol.hcl", "policy \"new\" {\n  criteria = \"dst_port == 9\"\n  label    = \"new\"\n  verdict  = \"drop\"\n}\n")
	if err := os.Remove(w.path("policies/netpol.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.want(w.apply(), fmt.Sprintf("bit %d is on 1000 live connections; apply clears it", old))
	took := time.Since(began)
	if names := w.connlabels(); names[old] == "new" {
		t.Errorf("the new label has the old one's bit %d", old)
	}
	wrong := 0
	for bit, n := range w.census().Bits {
		if n > 0 {
			t.Errorf("%d connections carry bit %d (%s)", n, bit, w.connlabels()[bit])
			wrong += n
		}
	}
	for _, conn := range live {
		if say(conn, []byte{0}) != nil {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d connections are taken for others", wrong)
	}
	t.measure("1000 live connections, lock deleted: new label on another bit, old one cleared in an apply of %v, %d wrong", took.Round(time.Millisecond), wrong)
}

// census counts the label bits of all connections.
func (w *world) census() (c ct.Census) {
	w.Helper()
	var err error
	w.ns.Do(func() { c, err = ct.TakeCensus() })
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// carriedBy is the bit that so many connections carry.
func (w *world) carriedBy(want int) int {
	w.Helper()
	for bit, n := range w.census().Bits {
		if n == want {
			return bit
		}
	}
	w.Fatalf("no label is on %d connections: %v", want, w.census())
	return 0
}

// connlabels are the names of bits as the last apply wrote them.
func (w *world) connlabels() map[int]string {
	w.Helper()
	data, err := os.ReadFile(w.path("etc/connlabel.conf"))
	if err != nil {
		w.Fatal(err)
	}
	names := map[int]string{}
	for line := range strings.Lines(string(data)) {
		var bit int
		var name string
		if n, _ := fmt.Sscan(line, &bit, &name); n == 2 {
			names[bit] = name
		}
	}
	return names
}
