package fixed

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// opening is a flow's first bytes, and the protocol that they are: none where
// a row must stay silent.
type opening struct {
	name, tag string
	in        dissecttest.Flow
}

func (o opening) testCase() dissecttest.Case {
	c := dissecttest.Case{Name: o.name, In: o.in, Result: dissect.NeedMore, Want: fact.Facts{Protocol: o.tag}}
	if o.tag != "" {
		c.Result = dissect.Match
	}
	return c
}

// productCases are openings of games, messengers, services and others, written
// from what is published of their layouts. Noise stands for what is encrypted.
func productCases() []dissecttest.Case {
	var cases []dissecttest.Case
	for _, list := range [][]opening{gameStreams(), gameDatagrams(), callOpenings(), tunnelOpenings(), serviceStreams(), serviceDatagrams()} {
		for _, o := range list {
			cases = append(cases, o.testCase())
		}
	}
	return cases
}

func gameStreams() []opening {
	tcp, c, s := dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	deflated := "\x78\x01\x35" + strings.Repeat("d", 57)
	account := "\x00\x06player\x02rk\x00\x0b\x48\x84\x92\x00\x00\x00\x80\x00\x00\x00" + "\x8b\x78\x9c\x01" + strings.Repeat("d", 60)
	platform := "\x2b\xf0\x00\x24" + strings.Repeat("u", 36) + "\x00\x00\x16eso.live.9.3.6.2849400" + strings.Repeat("d", 40)
	nested := func(body string) string {
		n := byte(len(body))
		return "\x00\x00\x00" + string([]byte{n + 8}) + "\x00\x01\x00\x01" + "\x00\x00\x00" + string([]byte{n}) + body
	}
	return []opening{
		{"Tencent, deflated", "tencent-games", tcp(20731, c("\x00\x00\x00"+string([]byte{byte(len(deflated))})+deflated))},
		{"Tencent, framed", "tencent-games", tcp(31003, c("\x42\x15\xf7\x87\x03\xe9\x00\x00\x00\x40"+strings.Repeat("d", 64)))},
		{"Tencent, answer", "tencent-games", tcp(8085, s("\xaa\x00\x00\x00\x5d\x15\x00\x00\x00\x1b\x10\xe6\x86\x01\x20\x00"))},
		{"The Elder Scrolls Online, account", "elder-scrolls-online", tcp(24120, c(nested(account)))},
		{"The Elder Scrolls Online, platform", "elder-scrolls-online", tcp(24504, c(nested(platform)))},
		{"Path of Exile", "path-of-exile", tcp(6112, c("\x00\x03\x00\x01\x02\x03\x00\x02\x00\x00\x00\x06Exiled\x00\x00\x00\x00\x40\x00\x00\x01"))},
		{"MapleStory", "maplestory", tcp(8484, s("\x0e\x00\x53\x00\x01\x001sendrecv\x08"))},
		{"MapleStory of no region", "", tcp(8484, s("\x0e\x00\x53\x00\x01\x001sendrecv\x70"))},
		{"Dofus 1, log-on", "dofus", tcp(443, s("HC"+strings.Repeat("abcdefgh", 4)+"\x00"), c("1.29.1\x00#1"))},
		{"Dofus 1, game", "dofus", tcp(5555, s("HG\x00"), c("AT1234567\x00"))},
		{"Guild Wars", "guild-wars", tcp(6112, c("\x00\x05\x0c"+strings.Repeat("\x00", 47)+"@2&P"+strings.Repeat("\x00", 10)))},
		{"World of Warcraft, world server", "world-of-warcraft", tcp(8085, s("\x00\x30WORLD OF WARCRAFT CONNECTION - SERVER TO CLIENT\x00"))},
		{"Warcraft III on another port", "warcraft3", tcp(40000, c("\xf7\x1e\x08\x00abcd\xf7\x46\x04\x00"), s("\xf7\x04\x06\x00ab"))},
		{"StarCraft II", "starcraft", tcp(1119, c("\x4a\x00\x00\x0a\x66\x02\x0a\xed\x2d\x66"))},
		{"Photon over TCP", "photon", tcp(4530, c("\xfb\x00\x00\x00\x30\x00\x01\xf3\x00\x01\x06\x1e\x00"))},
	}
}

func gameDatagrams() []opening {
	udp, c, s := dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	zeros, noise := strings.Repeat("\x00", 24), strings.Repeat("n", 20)
	const segment = "conv\x52\x00\x20\x00" + "\x10\x00\x00\x00" + "\x00\x00\x00\x00" + "\x01\x00\x00\x00"
	return []opening{
		{"Unreal Engine", "epic-games", udp(15011, c("\x47\x1a\x20\x00\x08vers\x04"+zeros+noise), s("\x47\x1a\x20\x08\x08vers\x04\x00\x00\x00\x00cookiecookiecookie"+noise))},
		{"Unreal Engine, answer to another", "", udp(15011, c("\x47\x1a\x20\x00\x08vers\x04"+zeros+noise), s("\x87\x1a\x20\x08\x08vers\x04\x00\x00\x00\x00cookiecookiecookie"+noise))},
		{"Unreal Engine, no answer", "", udp(15011, c("\x47\x1a\x20\x00\x08vers\x04"+zeros+noise))},
		{"Riot's trailer", "riot-games", udp(7000, c(noise+"\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb"))},
		{"Riot's trailer, not at the end", "", udp(7100, c(noise+"\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbbx"))},
		{"Wild Rift", "lol-wild-rift", udp(15004, c("\x04\x00\x00\x00"+strings.Repeat("k", 65)), s("\x10\x00\x00\x00"+strings.Repeat("k", 355)))},
		{"Wild Rift, one side", "", udp(15004, c("\x04\x00\x00\x00"+strings.Repeat("k", 65)))},
		{"NetEase", "netease-games", udp(4513, c("\x01\xb5\xd0\x01\x11\x2a\x3d\x03\x00\x01\x01\x01"))},
		{"Call of Duty: Mobile, probe", "call-of-duty-mobile", udp(7500, c("\xbb\xb6\x53\xea\x96\xfd\xbb\x03ping"))},
		{"the same elsewhere", "", udp(7501, c("\xbb\xb6\x53\xea\x96\xfd\xbb\x03ping"))},
		{"Gaijin", "gaijin", udp(20011, c("app.start,env=production,circuit=production,application=client,project=game:1|c"+strings.Repeat("x", 30)))},
		{"another's metrics", "statsd", udp(8125, c("app.start,env=production,application=client,project=game:1|c"+strings.Repeat("x", 50)))},
		{"Armagetron login", "armagetron", udp(4534, c("\x00\x0b\x00\x00\x00\x03\x00\x08abcd\x00\x00"))},
		{"Heroes of the Storm", "heroes-of-the-storm", udp(3724, c("ab\x03\x00abcdefghij\x40\x00abcd"))},
		{"Half-Life 2", "half-life2", udp(27099, c("\xff\xff\xff\xff"+"p0000000000000000000\x00"), s("\xff\xff\xff\xff"+"s0000000000000000000\x00"))},
		{"Source, player list", "source-engine", udp(40000, c("\xff\xff\xff\xffUabcdefgh"), s("\xff\xff\xff\xffD\x01\x00name\x00"))},
		{"SmartGlass", "xbox-live", udp(5050, c("\xdd\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x02"))},
		{"PlayStation answers", "playstation-discovery", udp(9302, s("HTTP/1.1 200 Ok\nhost-id:0011223344\nhost-type:PS5\n"))},
		{"Remote Play", "playstation-remote-play", udp(9296, c(strings.Repeat("\x00", 13)+"\x01\x00\x00\x14"+"tag1\x00\x01\x90\x00\x00\x64\x00\x64"+"tag1"))},
		{"NEX", "nintendo-prudp", udp(60000, c("\xea\xd0\x01\x18\x00\x00\xaf\xa1\xc0\x00\x00\x00\x00\x00"+strings.Repeat("s", 40)))},
		{"NEX of old", "nintendo-prudp", udp(60000, c("\xaf\xa1\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x97"), s("\xa1\xaf\x10\x00\x00\x00\x00\x00\x00\x00\x00\x5f\x22\x68\xea\x3a"))},
		{"NEX of old, not answered", "", udp(60000, c("\xaf\xa1\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x97"))},
		{"Photon region ping", "photon", udp(5055, c(strings.Repeat("\x7d", 12)+"\x12"))},
		{"kcp, two segments", "kcp", udp(40000, c(segment+"\x00\x00\x00\x00"+"conv\x51\x00\x20\x00"+"\x10\x00\x00\x00"+"\x02\x00\x00\x00"+"\x01\x00\x00\x00"+"\x02\x00\x00\x00hi"))},
		{"Warcraft III, LAN search", "warcraft3", udp(40000, c("\xf7\x2f\x10\x00PX3W\x18\x00\x00\x00\x00\x00\x00\x00"))},
		{"CryNetwork", "crynetwork", udp(64087, c("\x10ab\x08\xed"+strings.Repeat("a", 11)+"\x01aaa\x07aaa\x03\x07"))},
	}
}

func callOpenings() []opening {
	tcp, udp, c, s := dissecttest.TCP, dissecttest.UDP, dissecttest.Client[string], dissecttest.Server[string]
	ones := strings.Repeat("\xff", 12)
	const id = "\x00\x00\x00\x01\x00\x02\x05\x04" // conference, transaction, user
	return []opening{
		{"BFCP without attributes", "bfcp", udp(5070, c("\x20\x03\x00\x01"+id), s("\x20\x04\x00\x01"+id))},
		{"BFCP over TCP", "bfcp", tcp(5070, c("\x20\x03\x00\x01"+id), s("\x20\x04\x00\x01"+id))},
		{"BFCP of two conferences", "", udp(5070, c("\x20\x03\x00\x01"+id), s("\x20\x04\x00\x01\x00\x00\x00\x02\x00\x02\x05\x04"))},
		{"imo, ping between peers", "imo", udp(57604, c("\x07"), s("\x76"), c("\x09\x02\xdc\x9a\x02\x00\x00\x00\x00\x00"))},
		{"imo, answer of the relay", "imo", udp(36535, s("\x00\x09\x03\x21\x9a\x02\x00\x00\x00\x00\x00"))},
		{"Telegram reflector", "telegram", udp(596, c("peertagpeertag00"+ones+"\xfe\xff\xff\xff"+"queryid0"))},
		{"Telegram reflector's answer", "telegram", udp(596, s("peertagpeertag00"+ones+"\xc7\x72\x15\xc0"+strings.Repeat("a", 28)))},
		{"LINE", "line-call", udp(10019, c("\xb6\x09\x00\x0cabcdefghijkl"))},
		{"LINE of another length", "", udp(10019, c("\xb6\x09\x00\x0dabcdefghijkl"))},
		{"Mumble on another port", "mumble", udp(40000, c("\x00\x00\x00\x00identity"), s("\x00\x01\x05\x00identity"+strings.Repeat("\x00", 12)))},
		{"Mumble, another's identity", "", udp(40000, c("\x00\x00\x00\x00identity"), s("\x00\x01\x05\x00identitz"+strings.Repeat("\x00", 12)))},
		{"Sonos' clock", "sonos", udp(12301, c("\x23"+strings.Repeat("\x00", 47)))},
		{"SD-RTN of another name", "sd-rtn", udp(40000, c("\x00\x00\x00\x00\x00\x00\x21\x00\x00\x00\x00\x00\x04SNI\x00\x00\x00\x0bexample.com"))},
		{"Viber", "viber", tcp(4244, c("\x0e\x00\x0a\x00\x00\x00abcdefgh"), s("\x0c\x00\x0b\x00\x00\x00abcdef"))},
		{"Viber, one side", "", tcp(4244, c("\x0e\x00\x0a\x00\x00\x00abcdefgh"))},
		{"DingTalk", "dingtalk", tcp(443, c("\x10\x64\x87\x80\x01\x00\x01\x00\x02\x00\x02dk\x03\x00\x20key"))},
		{"WeChat, heartbeat", "wechat", tcp(8080, c("\x00\x00\x00\x10\x00\x10\x00\x01\x00\x00\x00\x06\xff\xff\xff\xff"))},
		{"KakaoTalk", "kakaotalk", tcp(995, c("\x00\x01\x00\x00\x0c\x00\x00\x00\x02\x00\x00\x00"+strings.Repeat("k", 256)))},
		{"QQ", "oicq", udp(40000, c("\x02\x3b\x0b\x00\x17\x12\x34\x00\x01\xe2\x40body\x03"))},
		{"QQ, framed", "oicq", udp(40000, c("\x28\x00\x00\x00\x08\x00\x00\x00\x20"+strings.Repeat("b", 40)+"\x29"))},
	}
}

func tunnelOpenings() []opening {
	tcp, udp, c := dissecttest.TCP, dissecttest.UDP, dissecttest.Client[string]
	hello := "packetid" + "\x01\x02\x03\x04\x05" + "\x05\x04\x03\x02\x01" + "\x00" + "macmacma" + "\x01" + "\x0c\x01\x0e\x00\x02" + "\x00\x00\x01\x93\x45\x67\x89\xab" + strings.Repeat("\x00", 64)
	return []opening{
		{"UltraSurf", "ultrasurf", tcp(37898, c("\xcc\x1c\x30\x41\x5b\xa4\x38\x66abc"))},
		{"Nebula", "nebula", udp(4242, c("\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"+strings.Repeat("h", 60)))},
		{"RustDesk", "rustdesk", udp(21116, c("\x32\x0d\x0a\x09123456789\x10\x01"))},
		{"ZeroTier on another port", "zerotier", udp(40000, c(hello))},
	}
}

func TestProducts(t *testing.T) {
	d := New()
	for _, c := range productCases() {
		t.Run(c.Name, func(t *testing.T) {
			var f fact.Facts
			if got := d.Dissect(c.In.Whole(), &f); got != c.Result && c.Want.Protocol != "" || f != c.Want {
				t.Errorf("got %s with protocol %q, want %s with %q", dissecttest.ResultName(got), f.Protocol, dissecttest.ResultName(c.Result), c.Want.Protocol)
			}
		})
	}
}
