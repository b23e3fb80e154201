package faults

import (
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// linkPolicies ask for the interface, in the kernel and in netpold.
const linkPolicies = `policy "zoom" {
  criteria = "interface == 'lan0' && app == 'zoom'"
  label    = "zoom"
  dscp     = "cs5"
}

policy "plain" {
  criteria = "interface == 'lan0' && ip_protocol == 6 && dst_port == 7"
  label    = "mail"
}
`

// links renames, removes and flaps the interface towards the client.
func links(t *trial) {
	w := newWorld(t)
	w.write("policies/some.netpol.hcl", linkPolicies)
	w.apply()
	w.netpold()
	longest := w.matches(true)

	w.renamed(kerneltest.ClientDevice, "lan9")
	w.want(w.netpol(0, "plan", w.path("policies")), "No interface of this router is named lan0 (policy zoom, some.netpol.hcl:1)", "lan9")
	w.matches(false)
	w.renamed("lan9", kerneltest.ClientDevice)
	longest = max(longest, w.matches(true))

	w.readd()
	longest = max(longest, w.matches(true))

	w.flap(rounds(10, 100))
	longest = max(longest, w.matches(true))
	t.measure("renamed: told by plan, matches nothing; named again, deleted and made again, %d flaps: named and labelled at most %v after a connection began",
		rounds(10, 100), longest.Round(time.Millisecond))
}

// matches opens connections, and fails unless the policies hold for them, or for
// none.
func (w *world) matches(want bool) (took time.Duration) {
	w.Helper()
	began := time.Now()
	named := w.open(zoomName)
	plain := w.connect(plainPort)
	w.ping(plain)
	w.within(time.Second, "the connection is decided", func() bool { return w.decided(named) })
	w.within(time.Second, "the rules of interfaces match", func() bool {
		return w.labelled(named, zoomBit) == want && w.labelled(plain, mailBit) == want
	})
	return time.Since(began)
}

func (w *world) renamed(from, to string) {
	w.Helper()
	w.ns.Run("sh", "-c", "ip link set "+from+" down && ip link set "+from+" name "+to+" && ip link set "+to+" up && ip addr replace fd77::1/64 dev "+to+" nodad")
}

// readd removes the interface and makes another one of that name.
func (w *world) readd() {
	w.Helper()
	w.ns.Run("ip", "link", "del", kerneltest.ClientDevice)
	var err error
	w.ns.Do(func() {
		err = netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: kerneltest.ClientDevice},
			PeerName:  "eth0", PeerNamespace: netlink.NsFd(w.lab.Client.Handle()),
		})
	})
	if err != nil {
		w.Fatal(err)
	}
	w.ns.Run("sh", "-c", "ip addr add 192.168.77.1/24 dev lan0 && ip link set lan0 up")
	w.lab.Client.Run("sh", "-c", "ip addr add "+w.lab.ClientAddr4.String()+"/24 dev eth0 && ip link set eth0 up && ip route add default via 192.168.77.1")
}

// flap takes the interface down and up again, a hundred times in ten seconds.
func (w *world) flap(times int) {
	w.Helper()
	for range times {
		w.ns.Run("ip", "link", "set", kerneltest.ClientDevice, "down")
		time.Sleep(45 * time.Millisecond)
		w.ns.Run("ip", "link", "set", kerneltest.ClientDevice, "up")
		time.Sleep(45 * time.Millisecond)
	}
	w.within(patience, "the link carries again", func() bool {
		return strings.Contains(w.ns.Run("ip", "-o", "link", "show", kerneltest.ClientDevice), "state UP")
	})
}
