package fixed

import (
	"strings"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
)

// serviceStreams are openings of plants, stores and other services over TCP,
// written from their specifications.
func serviceStreams() []opening {
	tcp, c, s := dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	const ams = "\x05\x01\x02\x03\x01\x01\x53\x03" + "\x05\x01\x02\x04\x01\x01\x01\x80" // to and from: net, port
	return []opening{
		{"ADS, read", "beckhoff-ads", tcp(40000, c("\x00\x00\x2c\x00\x00\x00"+ams+"\x02\x00\x04\x00"+"\x0c\x00\x00\x00"+"\x00\x00\x00\x00"+"\x07\x00\x00\x00"+"\x20\x40\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00"))},
		{"ADS of command 10", "", tcp(40000, c("\x00\x00\x2c\x00\x00\x00"+ams+"\x0a\x00\x04\x00"+"\x0c\x00\x00\x00"+"\x00\x00\x00\x00"+"\x07\x00\x00\x00"+"\x20\x40\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00"))},
		{"CAN over IP", "can-over-ip", tcp(40000, c("ISO11898\x01\x01\x00\x00\x01\x23"))},
		{"ClickHouse client", "clickhouse", tcp(9000, c("\x00\x11ClickHouse client\x15\x09\xa7\xa9\x03"))},
		{"ClickHouse server", "clickhouse", tcp(9000, s("\x00\x0aClickHouse\x15\x09\xa7\xa9\x03"))},
		{"DLEP session", "dlep", tcp(854, c("\x00\x01\x00\x08\x00\x01\x00\x04abcd"))},
		{"DRDA, exchange of attributes", "drda", tcp(40000, c("\x00\x0e\xd0\x41\x00\x01\x00\x08\x10\x41\x00\x04\x11\x5e"))},
		{"DRDA, statement and reply", "drda", tcp(40000, c("\x00\x0a\xd0\x51\x00\x02\x00\x04\x20\x14"), s("\x00\x0a\xd0\x43\x00\x02\x00\x04\x24\x08"))},
		{"Elasticsearch transport", "elasticsearch", tcp(9300, c("ES\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x09\x08\x07\x0b\x0c\x01"))},
		{"Lustre acceptor", "lustre", tcp(988, c("\x00\x71\xce\xac\x01\x00\x00\x00\x0a\x00\x00\x0a\x02\x00\x02\x00"))},
		{"Lustre socket LND", "lustre", tcp(988, c("cirE\x03\x00\x00\x00\x0a\x00\x00\x0a\x02\x00\x02\x00"))},
		{"memcached, add", "memcached", tcp(40000, c("add k 0 60 1\r\nx\r\n"), s("NOT_STORED\r\n"))},
		{"memcached, increment", "memcached", tcp(40000, c("incr k 1\r\n"), s("NOT_FOUND\r\n"))},
		{"memcached, increment unanswered", "", tcp(40000, c("incr k 1\r\n"))},
		{"Munin", "munin", tcp(4949, s("# munin node at host.example.com\n"))},
		{"OpenWire", "openwire", tcp(61616, c("\x00\x00\x00\xf0\x01ActiveMQ\x00\x00\x00\x0c"))},
		{"Avast", "avast", tcp(80, c("NOSA\x00\x0cabcdef"))},
		{"Syncthing relay", "syncthing", tcp(22067, c("\x9e\x79\xbc\x40\x00\x00\x00\x02\x00\x00\x00\x00"))},
		{"Zabbix", "zabbix", tcp(10051, c("ZBXD\x01\x40\x00\x00\x00\x00\x00\x00\x00{\"request\""))},
		{"ZeroMQ", "zeromq", tcp(5555, c("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x01NULL"))},
		{"NoMachine, answer", "nomachine", tcp(4000, s("NXD-8.10.1\n"))},
		{"Battle.net", "battle-net", tcp(1119, c("\x41\x00\x00\x0a\x66\x52\xed\xc6more"))},
	}
}

// serviceDatagrams are the same over UDP.
func serviceDatagrams() []opening {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	const host, now = "\x00\x00\x00\x09host\x00", "\x00\x08\x00\x0c\x17\x00\x00\x00\x00\x00\x00\x00"
	return []opening{
		{"ADS discovery", "beckhoff-ads", udp(48899, c("\x03\x66\x14\x71\x00\x00\x00\x00\x01\x00\x00\x00"))},
		{"CIP, implicit message", "cip", udp(2222, c("\x02\x00\x02\x80\x08\x00connseq0\xb1\x00\x04\x00\x01\x00ab"))},
		{"collectd on another port", "collectd", udp(40000, c(host+now+"\x00\x09\x00\x0c\x00\x00\x00\x02\x80\x00\x00\x00"))},
		{"collectd, encrypted", "collectd", udp(40000, c("\x02\x10\x00\x20\x00\x04user"+strings.Repeat("e", 22)))},
		{"collectd, encrypted, of another length", "", udp(40000, c("\x02\x10\x00\x21\x00\x04user"+strings.Repeat("e", 22)))},
		{"DLEP discovery", "dlep", udp(854, c("DLEP\x00\x01\x00\x10"+strings.Repeat("a", 20)))},
		{"Ether-S-Bus", "ether-s-bus", udp(5050, c("\x00\x00\x00\x0e\x01\x00\x12\x34\x00\x0a\x14\x00cr"))},
		{"FLUTE", "flute", udp(40000, c("\x10\x10\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x01\x00\x00\x00\x00<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<FDT-Instance Expires=\"1\"/>"))},
		{"GTP-C version 2", "gtp-c", udp(2123, c("\x48\x20\x00\x08\x00\x00\x00\x00\x00\x00\x01\x00"))},
		{"GTP-C version 1", "gtp-c", udp(2123, c("\x32\x10\x00\x04\x00\x00\x00\x00\x00\x01\x00\x00"))},
		{"PFCP", "pfcp", udp(8805, c("\x20\x01\x00\x0c\x00\x00\x01\x00\x00\x60\x00\x04\xe8\x00\x00\x00"))},
		{"synchrophasor command", "ieee-c37118", udp(40000, c("\xaa\x41\x00\x12\x00\x01timefrac\x00\x02cr"))},
		{"NOE", "noe", udp(40000, c("\x07\x00\x01\x00\x05"))},
		{"RTPS", "rtps", udp(7400, c("RTPS\x02\x03\x01\x0fguidguidguid\x09\x01\x08\x00"))},
		{"RTPX", "rtps", udp(7400, c("RTPX\x02\x02\x01\x01guidguidguid\x09\x01\x08\x00"))},
		{"sFlow on another port", "sflow", udp(40000, c("\x00\x00\x00\x05\x00\x00\x00\x01\x0a\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07\x00\x01\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\xb0"))},
		{"Teredo", "teredo", udp(3544, c("\x60\x00\x00\x00\x00\x08\x3a\xff"+strings.Repeat("a", 40)))},
		{"RDP over UDP", "rdp", udp(3389, c("\xff\xff\xff\xff\x00\x40\x00\x01\x12\x34\x56\x78\x04\xd0\x04\xd0"+strings.Repeat("\x00", 1216)))},
		{"EAQ", "eaq", udp(6000, c("\x00\x00\x01\x02aaaaaaaaaaaa"), s("\x00\x00\x01\x02bbbbbbbbbbbb"))},
		{"NoMachine media", "nomachine", udp(40000, c("\x01\x00\x01\x00\x0c\x00ab\x00\x00cd"))},
		{"Among Us on another port", "among-us", udp(40000, c("\x08\x00\x01\x00\x80\xd9\x02\x03\x04Name"))},
		{"Roblox' RakNet", "raknet", udp(50000, c("\x7b"+raknetMagic+strings.Repeat("\x00", 1400)))},
		{"Warcraft Rumble", "battle-net", udp(40000, c("\xff\xff\xff\xff\xa3\x1f\xb6\x1e\x00\x00\x40\x01\x00\x00\x00\x00\x00\x00\x00\x04\x03\x02\x01"))},
		{"SDR ping", "steam-datagram-relay", udp(27015, c("\x01\x00sdping"+strings.Repeat("\x00", 92)))},
	}
}
