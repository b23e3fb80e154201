package resolve

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func TestMistakesInSinks(t *testing.T) {
	const two = "sink \"events\" {\n type = \"file\"\n path = \"/a\"\n}\nsink \"other\" {\n type = \"stdout\"\n}\n"
	const ipfix = "sink \"flows\" {\n type = \"ipfix\"\n address = \"192.0.2.1:4739\"\n}\n"
	notify := func(name string) string {
		return "policy \"p\" {\n criteria = \"app == 'zoom'\"\n notify = \"" + name + "\"\n}\n"
	}
	aggregate := func(sink, more string) string {
		return "aggregate \"usage\" {\n " + more + "\n sink = \"" + sink + "\"\n}\n"
	}
	when := func(criteria string) string {
		return "sink \"s\" {\n type = \"stdout\"\n records = \"flow\"\n when = \"" + criteria + "\"\n}\n"
	}
	for _, tt := range []struct{ name, in, code, detail, hint string }{
		{"misspelt", two + notify("event"), diag.UndefinedSink, `No sink block is named "event".`, "did you mean 'events'?"},
		{"another", two + notify("zzz"), diag.UndefinedSink, `No sink block is named "zzz". There are events, other.`, ""},
		{"none at all", notify("events"), diag.UndefinedSink, `No sink block is named "events". Write for example: sink "events" { type = "file", path = "/var/log/netpol/events.jsonl" }, an argument a line.`, ""},
		{"one file of two", two + "sink \"third\" {\n type = \"file\"\n path = \"/a\"\n}\n", diag.Duplicate, `The sink "events" at a.netpol.hcl:1:1 has /a already. Give one of the two another place.`, ""},
		{"one address of two", "sink \"web\" {\n type = \"websocket\"\n address = \":80\"\n path = \"/a\"\n}\nsink \"other\" {\n type = \"tcp\"\n address = \":80\"\n}\n", diag.Duplicate, `The sink "web" at a.netpol.hcl:1:1 has :80 already. Give one of the two another place.`, ""},
		{"one spool of two", "sink \"up\" {\n type = \"http\"\n url = \"https://a.example\"\n spool = \"/s\"\n}\nsink \"other\" {\n type = \"http\"\n url = \"https://b.example\"\n spool = \"/s\"\n}\n", diag.Duplicate, `The sink "up" at a.netpol.hcl:1:1 has /s already. Give one of the two another place.`, ""},
		{"two in other letters", two + "sink \"Other\" {\n type = \"stdout\"\n}\n", diag.Duplicate, `The sink "Other" is "other" at a.netpol.hcl:5:1 in other letters: names of sinks are compared without regard to case. Rename one of the two.`, ""},
		{"an unknown application", when("app == 'zom'"), diag.UnknownApplication, "No application is named 'zom'.", "did you mean 'zoom'?"},
		{"what the kernel knows", when("interface_out == 'wan0'"), diag.NotTold, "Only the kernel's rules know interface_out, and the conditions of sinks and aggregates are netpold's. Ask for interface or local_ip.", ""},
		{"a policy that asks how a connection fares", "policy \"p\" {\n criteria = \"app == 'zoom' && tcp_retrans > 3\"\n label = \"p\"\n}\n", diag.NotDecided, "A policy is decided by a connection's first packets, and tcp_retransmissions is measured afterwards: it can be asked for in when of a sink or of an aggregate, and by netpol flows. A policy can ask for rates and duration, such as total_rate.", ""},
		{"a policy that calculates with it", "policy \"p\" {\n criteria = \"rtt_server * 2 > 20000\"\n label = \"p\"\n exempt = \"src_port == 1\"\n}\n", diag.NotDecided, "A policy is decided by a connection's first packets, and rtt_server is measured afterwards: it can", ""},
		{"a time without a unit that there is", when("rtt_server > '2min'"), diag.InvalidQuantity, "'2min' is not a number of microseconds. It is a plain number, or a text such as '20ms' with one of the units us, ms, s.", ""},
		{"a time in other letters", when("dns_response > '20msec'"), diag.InvalidQuantity, "'20msec' is not a number of microseconds. It is a plain number, or a text such as '20ms' with one of the units us, ms, s.", "write '20ms'"},
		{"a measured attribute misspelt", when("tcp_retransmission > 3"), diag.UnknownAttribute, "", "did you mean 'tcp_retransmissions'?"},
		{"more than all", when("rtp_loss > 100"), diag.ConstantCondition, "This is always false.", ""},
		{"an aggregate's sink", two + aggregate("evnts", "by = [\"local_ip\"]"), diag.UndefinedSink, `No sink block is named "evnts".`, "did you mean 'events'?"},
		{"a collector of connections", ipfix + notify("flows"), diag.InvalidSink, `The sink "flows" is of type "ipfix", which has no records of a policy's matches: flow_end and flow_stats go there. Name a sink of another type.`, ""},
		{"a collector of connections' aggregate", ipfix + aggregate("flows", "by = [\"local_ip\"]"), diag.InvalidSink, `The sink "flows" is of type "ipfix", which has no records of aggregates: flow_end and flow_stats go there. Name a sink of another type.`, ""},
		{"an aggregate's policy", two + aggregate("events", "by = [\"policy\"]\n policies = [\"q\"]"), diag.UndefinedPolicy, `No policy block is named "q".`, ""},
		{"an aggregate's group", two + aggregate("events", "by = [\"address_group\"]\n address_groups = [\"@gold\"]"), diag.UndefinedGroup, `No address_group block is named "gold".`, ""},
		{"an aggregate's application", two + aggregate("events", "by = [\"local_ip\"]\n when = \"app == 'zom'\""), diag.UnknownApplication, "No application is named 'zom'.", "did you mean 'zoom'?"},
		{"an aggregate that asks the kernel", two + aggregate("events", "by = [\"local_ip\"]\n when = \"interface_out == 'wan0'\""), diag.NotTold, "Only the kernel's rules know interface_out, and the conditions of sinks and aggregates are netpold's. Ask for interface or local_ip.", ""},
		{"two aggregates in other letters", two + aggregate("events", "by = [\"local_ip\"]") + strings.Replace(aggregate("events", "by = [\"local_ip\"]"), "usage", "Usage", 1), diag.Duplicate, `The aggregate "Usage" is "usage" at a.netpol.hcl:8:1 in other letters: names of aggregates are compared without regard to case. Rename one of the two.`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, lang.Options{})
			_, more := Resolve(p, catalogue())
			if diags.Extend(more); len(diags) != 1 || diags[0].Code != tt.code || diags[0].Hint != tt.hint || !strings.HasPrefix(diags[0].Detail, tt.detail) {
				t.Errorf("got %v, want one %s: %s (%s)", diags, tt.code, tt.detail, tt.hint)
			}
		})
	}
}
