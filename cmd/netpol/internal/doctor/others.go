package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/files"
)

// inspectors are other programs that name applications: they cost the same work
// twice, and some write labels and marks too.
func inspectors(m Machine) []Finding {
	const check = "other inspection"
	var list []Finding
	known := []string{"netifyd", "nDPId", "ndpiReader", "ntopng", "Suricata-Main", "suricata", "snort", "snort3", "zeek", "OpenGFW", "opengfw", "qosify"}
	for _, name := range m.processes() {
		if slices.Contains(known, name) {
			list = append(list, Finding{check, Warn, name + " runs and names applications as well", "let one of them write labels, marks and code points, and stop that in the other"})
		}
	}
	if slices.Contains(m.modules(), "xt_ndpi") {
		list = append(list, Finding{check, Warn, "the module xt_ndpi is loaded and names applications as well", "remove the iptables rules with -m ndpi"})
	}
	if f, taken := m.logGroup(); taken {
		list = append(list, f)
	}
	if len(list) == 0 {
		return good(check, "no other program that names applications")
	}
	return list
}

// logGroup looks who listens on netpold's NFLOG groups. /proc/net/netfilter/nfnetlink_log
// has a line for each group: the group, the port id of the listener, and more.
func (m Machine) logGroup() (Finding, bool) {
	groups := []uint16{4788} // unless set otherwise
	if m.Bundle != nil {
		groups = m.Bundle.Settings.Groups()
	}
	for line := range strings.Lines(m.read("/proc/net/netfilter/nfnetlink_log")) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !slices.ContainsFunc(groups, func(g uint16) bool { return strconv.Itoa(int(g)) == fields[0] }) || slices.Contains(m.processes(), "netpold") {
			continue
		}
		return Finding{
			"other inspection", Fail, fmt.Sprintf("NFLOG group %s is taken by port id %s, and netpold does not run", fields[0], fields[1]),
			"stop that program, or set log_group in the netpol block",
		}, true
	}
	return Finding{}, false
}

// labelFiles are the files that name label bits.
func labelFiles(m Machine) []Finding {
	var list []Finding
	var labels []artifact.Label
	if m.Bundle != nil {
		labels = m.Bundle.Labels
	}
	for _, name := range []string{"connlabel.conf", "xtables/connlabel.conf"} {
		path := filepath.Join(m.EtcDir, name)
		f := Finding{Check: "label file " + path, Status: OK, Detail: "says what the bundle says"}
		c, err := files.ReadConnlabel(filepath.Join(m.Root, path))
		switch {
		case err != nil:
			f.Status, f.Detail, f.Fix = Fail, err.Error(), "make it a regular file that root can write"
		case len(c.Clashes(labels)) > 0:
			clash := c.Clashes(labels)[0]
			f.Status, f.Detail = Fail, fmt.Sprintf("names bit %d %q, which stands against a label of netpol's", clash.Bit, clash.Name)
			f.Fix = "rename the label in the policies, or remove the line"
		case m.Bundle == nil:
			f.Detail = "nothing is applied"
		case !c.HasBlock:
			f.Status, f.Detail, f.Fix = Warn, "lacks netpol's labels: tools that read it show bits as numbers", "netpol restore"
		}
		list = append(list, f)
	}
	return list
}

// markUser is a program that is known to keep something in marks.
type markUser struct {
	name  string
	mask  uint32
	found func(Machine) bool
	move  string // how to give it other bits
}

// markUsers and the bits they take unless told otherwise, from their manuals.
func markUsers() []markUser {
	chain := func(prefix string) func(Machine) bool {
		return func(m Machine) bool {
			for _, c := range m.Found.Chains {
				if strings.HasPrefix(c.Name, prefix) {
					return true
				}
			}
			return false
		}
	}
	file := func(path string) func(Machine) bool { return func(m Machine) bool { return m.exists(path) } }
	return []markUser{
		{"mwan3", 0x3f00, file("/etc/config/mwan3"), "option mmx_mask in /etc/config/mwan3"},
		{"pbr", 0x00ff0000, file("/etc/config/pbr"), "option fw_mask in /etc/config/pbr"},
		{"Kubernetes", 0xc000, chain("KUBE-"), "--iptables-masquerade-bit of kube-proxy"},
		{"Calico", 0xffff0000, chain("cali-"), "iptablesMarkMask of Felix"},
		{"Tailscale", 0x00ff0000, chain("ts-"), "nothing: its bits are fixed"},
	}
}

// marks compares the bits that netpol writes with those that others ask for.
func marks(m Machine) []Finding {
	const check = "marks"
	connection, packet := m.ownMasks()
	fix := func(mask uint32) string {
		switch {
		case m.Bundle == nil || mask&m.Bundle.Settings.DoneMark != 0:
			return "set done_mark in the netpol block to a bit that nobody uses, or "
		case mask&m.Bundle.Settings.QuietMark != 0:
			return "set quiet_mark in the netpol block to a bit that nobody uses, or to \"none\", or "
		case mask&packet != 0 && len(m.Bundle.Routes) == 0:
			return "set hold_mark in the netpol block to bits that nobody uses, or "
		case mask&packet != 0:
			return "set route_mark in the netpol block to bits that nobody uses, or "
		}
		return "give the policies that set a mark other bits, or "
	}
	var list []Finding
	for _, user := range markUsers() {
		if both := user.mask & (connection | packet); both != 0 && user.found(m) {
			list = append(list, Finding{check, Warn, fmt.Sprintf("%s keeps something of its own in bits %#x, which netpol writes too", user.name, both), fix(both) + "move the other's: " + user.move})
		}
	}
	for _, r := range m.Found.Marks {
		ours := connection | packet
		if r.Mask == 0xffffffff { // a whole word is compared: nobody keeps parts of it in connections
			ours = packet
		}
		if both := r.Mask & ours; both != 0 && !m.ownRule(r.Mark, r.Mask) {
			list = append(list, Finding{
				check, Warn,
				fmt.Sprintf("the %s routing rule %d asks for mark %#x/%#x, of which netpol writes %#x: where packet and connection marks are copied, it sees netpol's bits", r.Family, r.Priority, r.Mark, r.Mask, both),
				fix(both) + "change the rule",
			})
		}
	}
	list = append(list, m.markRules(connection, fix)...)
	if len(list) == 0 {
		return good(check, "nobody else is known to use bits %#x of the connection mark", connection)
	}
	return list
}

// ownRule reports whether a routing rule is one of the bundle's.
func (m Machine) ownRule(mark, mask uint32) bool {
	return m.Bundle != nil && slices.ContainsFunc(m.Bundle.Routes, func(r artifact.Route) bool { return r.Mark == mark && r.Mask == mask })
}

// clockFloor is a day that has passed: routers without a battery start in 1970.
var clockFloor = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is what schedules go by.
func clock(m Machine) []Finding {
	list := good("clock", "%s", time.Now().UTC().Format(time.DateTime+" MST"))
	if time.Now().Before(clockFloor) {
		list[0].Status, list[0].Fix = Warn, "set the clock (ntpd, chrony, systemd-timesyncd): schedules go by it"
	}
	zones := []string{"UTC"}
	if m.Bundle != nil {
		zones = append(zones, m.Bundle.Settings.Timezone)
		for _, set := range m.Bundle.Ruleset.Sets {
			for _, s := range set.Schedules {
				zones = append(zones, s.Zone)
			}
		}
	}
	slices.Sort(zones)
	for _, zone := range slices.Compact(zones) {
		if zone == "" {
			continue
		}
		if _, err := time.LoadLocation(zone); err != nil {
			list = append(list, Finding{"time zones", Fail, fmt.Sprintf("%q is not known: %v", zone, err), "correct timezone in the policies, or install the tzdata package"})
		}
	}
	if len(list) == 1 {
		list = append(list, good("time zones", "all that the policies name are known")...)
	}
	return list
}

// StateDir looks whether an apply could write what it must.
func StateDir(m Machine) []Finding {
	check := "state directory " + m.StateDir
	path := filepath.Join(m.Root, m.StateDir)
	if m.exists(filepath.Join(m.StateDir, "journal.json")) {
		return []Finding{{check, Warn, "an apply was interrupted, or is at work", "netpol apply or netpol restore finishes it or takes it back"}}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return good(check, "not there yet: apply makes it")
	case err != nil:
		return []Finding{{check, Fail, err.Error(), "make it a directory that root can write"}}
	case !info.IsDir():
		return []Finding{{check, Fail, "is not a directory", "remove what is in its place"}}
	}
	room, readOnly, err := files.Space(path)
	switch {
	case err != nil:
		return []Finding{{check, Warn, err.Error(), "look at the file system"}}
	case readOnly:
		return []Finding{{check, Fail, "is on a read-only file system", "mount it writable, or give another one with --state-dir"}}
	case room < files.LeastRoom:
		return []Finding{{check, Fail, fmt.Sprintf("%d KiB are left", room>>10), "make room: an apply needs some MiB, and changes nothing without"}}
	}
	return good(check, "%d MiB are left", room>>20)
}

// inputs looks for the interfaces that netpold is to read.
func inputs(m Machine) []Finding {
	if m.Bundle == nil {
		return nil
	}
	var list []Finding
	for _, in := range m.Bundle.Inputs {
		check := "input " + in.Name
		device := "/sys/class/net/" + in.Interface
		if m.exists(device) && m.isDown(device) {
			list = append(list, Finding{
				check, Warn, fmt.Sprintf("the interface %s is down; netpold reads it once it is up", in.Interface),
				"ip link set " + in.Interface + " up",
			})
			continue
		}
		if m.exists(device) {
			list = append(list, good(check, "%s is there", in.Interface)...)
			continue
		}
		list = append(list, Finding{
			check, Warn, fmt.Sprintf("there is no interface %s; netpold reads it once there is", in.Interface),
			"make the interface, or name another in the input block",
		})
	}
	return append(list, SeenTwice(m)...)
}

// SeenTwice looks for inputs that show what something else shows as well: the router's
// own rules, where the interface or the bridge that it is a port of has addresses of this
// machine, or another input below or above it.
func SeenTwice(m Machine) []Finding {
	var list []Finding
	for i, in := range m.Bundle.Inputs {
		check, device := "input "+in.Name, in.Interface
		for _, other := range m.Bundle.Inputs[:i] {
			if m.stacked(device, other.Interface) {
				list = append(list, Finding{
					check, Warn, fmt.Sprintf("%s and %s of input %s are one above the other, so that packets are seen by both, and their flows counted twice", device, other.Interface, other.Name),
					"remove one of the two inputs, or give them filters that do not overlap",
				})
			}
		}
		if !m.capturing() {
			continue
		}
		for _, on := range []string{device, m.master(device)} {
			if on != "" && m.addressed(on) {
				list = append(list, Finding{
					check, Warn, fmt.Sprintf("this machine has addresses on %s, so the rules show what it forwards and receives there, and %s shows it again: those flows are told of twice", on, device),
					"remove the input, or read an interface that nothing else shows, such as a mirror port; records name the input, so a sink can leave them out",
				})
				break
			}
		}
	}
	return list
}

// capturing says that the rules show packets to netpold.
func (m Machine) capturing() bool {
	return slices.ContainsFunc(m.Bundle.Ruleset.Chains, func(c artifact.Chain) bool { return strings.HasPrefix(c.Name, "np_capture") })
}

// stacked says that one interface lies directly above the other.
func (m Machine) stacked(a, b string) bool {
	return m.exists("/sys/class/net/"+a+"/lower_"+b) || m.exists("/sys/class/net/"+a+"/upper_"+b)
}

// master is the bridge or bond that an interface is a port of; empty for none.
func (m Machine) master(device string) string {
	list, _ := filepath.Glob(filepath.Join(m.Root, "/sys/class/net", device, "upper_*"))
	for _, path := range list {
		upper := strings.TrimPrefix(filepath.Base(path), "upper_")
		if m.exists("/sys/class/net/"+upper+"/bridge") || m.exists("/sys/class/net/"+upper+"/bonding") {
			return upper
		}
	}
	return ""
}

// addressed says that the interface has an address that is not of the link alone, as
// far as routes of IPv4 and addresses of IPv6 tell.
func (m Machine) addressed(device string) bool {
	for line := range strings.Lines(m.read("/proc/net/route")) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == device {
			return true
		}
	}
	const linkLocal = "20" // scope, linux/ipv6.h IPV6_ADDR_LINKLOCAL
	for line := range strings.Lines(m.read("/proc/net/if_inet6")) {
		if fields := strings.Fields(line); len(fields) == 6 && fields[5] == device && fields[3] != linkLocal {
			return true
		}
	}
	return false
}

// isDown says that an interface is not up, as far as sysfs tells (its flags, in
// hexadecimal).
func (m Machine) isDown(device string) bool {
	flags, err := strconv.ParseUint(strings.TrimSpace(m.read(device+"/flags")), 0, 32)
	const up = 1 // IFF_UP, linux/if.h
	return err == nil && flags&up == 0
}
