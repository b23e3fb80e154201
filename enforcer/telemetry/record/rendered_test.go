package record

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// TestRendered says that records are the same whether what is known of a flow was written before or
// not, in both encodings, and that only members which are marked so are remembered.
func TestRendered(t *testing.T) {
	var plain, again FlowEnd
	fill(reflect.ValueOf(&plain).Elem(), "word")
	plain.Flow.Rendered, plain.Flow.Names = nil, nil
	again = plain
	again.Flow.Rendered, again.Flow.Names = &Rendered{}, &Rendered{}
	for range 3 {
		if got, want := again.AppendJSON(nil), plain.AppendJSON(nil); !bytes.Equal(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
		if got, want := again.AppendMsgpack(nil), plain.AppendMsgpack(nil); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		plain.Flow.LocalIP, plain.Flow.Policies = netip.MustParseAddr("192.0.2.9"), []string{"other"}
		again.Flow.LocalIP, again.Flow.Policies = plain.Flow.LocalIP, plain.Flow.Policies
	}
	again.Flow.HostName, again.Flow.BrandName = "another", "another"
	if got := again.AppendJSON(nil); bytes.Contains(got, []byte("another")) {
		t.Errorf("got %s, want what was written before", got)
	}
	again.Flow.Rendered.Reset()
	again.Flow.Names.Reset()
	if got := again.AppendJSON(nil); bytes.Count(got, []byte("another")) != 2 {
		t.Errorf("got %s, want it written anew", got)
	}
	buf := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(100, func() { buf = again.AppendMsgpack(again.AppendJSON(buf[:0])) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
	again.Flow.HTTP.URL = strings.Repeat("x", longestRendered)
	again.Flow.Rendered.Reset()
	if again.AppendMsgpack(again.AppendJSON(nil)); len(again.Flow.Rendered.json)+len(again.Flow.Rendered.packed) != 0 {
		t.Error("got long members kept")
	}
}
