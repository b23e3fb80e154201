package record

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"
)

// fill gives each field of a struct a value that is not zero, so that nothing is
// left out.
func fill(v reflect.Value, word string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[netip.Addr]() {
			v.Set(reflect.ValueOf(netip.MustParseAddr("2001:db8::7")))
			return
		}
		if v.Type() == reflect.TypeFor[Known]() {
			return // it would leave the rest out
		}
		for i := range v.NumField() {
			fill(v.Field(i), word)
			if words := v.Type().Field(i).Tag.Get("enum"); words != "" {
				first, _, _ := strings.Cut(words, ",")
				v.Field(i).SetString(first)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), word+strings.Repeat("+", i))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(i))
		}
	case reflect.String:
		v.SetString(word)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(70_000)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(200)
	case reflect.Pointer:
		switch v.Type() {
		case reflect.TypeFor[*Health](), reflect.TypeFor[*Times]():
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), word)
		}
	default:
		panic("a record has a field of kind " + v.Kind().String())
	}
}

// every is a record of each type, all fields set, and one with none.
func every(word string) (list []Record) {
	for _, r := range []Record{&Flow{}, &FlowStats{}, &FlowEnd{}, &PolicyMatch{}, &AgentStatus{}, &InterfaceStats{}, &Endpoints{}, &Aggregate{}} {
		list = append(list, reflect.New(reflect.TypeOf(r).Elem()).Interface().(Record))
		v := reflect.ValueOf(r).Elem()
		fill(v, word)
		v.FieldByName("Type").Set(reflect.ValueOf(KindFlow))
		list = append(list, r)
	}
	return list
}

// same compares what two decoders made of a record: numbers of JSON have one type.
func same(t *testing.T, asJSON, packed []byte) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(asJSON, &a); err != nil {
		t.Fatal(err)
	}
	if err := msgpack.Unmarshal(packed, &b); err != nil {
		t.Fatalf("%v: %x", err, packed)
	}
	again, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var c any
	if err := json.Unmarshal(again, &c); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, c); diff != "" {
		t.Errorf("-JSON +MessagePack:\n%s", diff)
	}
}

// TestMsgpackSaysWhatJSONSays decodes both forms of each record, with a decoder that
// is not netpol's.
func TestMsgpackSaysWhatJSONSays(t *testing.T) {
	for _, word := range []string{"zoom,skype", strings.Repeat("w", 40), strings.Repeat("w", 300), strings.Repeat("w", 70_000), "bad\xffutf\x80", "nul\x00\u202e"} {
		for _, r := range every(word) {
			packed := r.AppendMsgpack([]byte("before"))[6:]
			same(t, r.AppendJSON(nil), packed)
			if n := MsgpackLen(append(packed, packed...)); n != len(packed) {
				t.Errorf("%T: got length %d, want %d", r, n, len(packed))
			}
			for i := range min(len(packed), 2000) {
				if n := MsgpackLen(packed[:i]); n != 0 {
					t.Fatalf("%T: its first %d bytes are a whole record of %d", r, i, n)
				}
			}
		}
	}
	for _, list := range []List{"", "a", "a,b", "a,", ",b"} {
		r := &Flow{}
		r.Flow.SSL.ALPN, r.Flow.SSL.ClientSNI = list, "x"
		same(t, r.AppendJSON(nil), r.AppendMsgpack(nil))
	}
}

func FuzzMsgpack(f *testing.F) {
	for _, word := range hostile {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		packed := sample(word).AppendMsgpack(nil)
		var v any
		if err := msgpack.Unmarshal(packed, &v); err != nil || MsgpackLen(packed) != len(packed) {
			t.Fatalf("%q: %v, length %d of %d", word, err, MsgpackLen(packed), len(packed))
		}
	})
}

// FuzzMsgpackLen says that whatever stands in a file, the end that is found lies in
// it.
func FuzzMsgpackLen(f *testing.F) {
	f.Add(sample("x").AppendMsgpack(nil))
	f.Add([]byte{0xde, 0xff, 0xff, 0xdc, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := MsgpackLen(b); n < 0 || n > len(b) {
			t.Fatalf("got %d of %d", n, len(b))
		}
	})
}

func BenchmarkFlowEndMsgpack(b *testing.B) {
	r := sample("us04web.zoom.us")
	buf := make([]byte, 0, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendMsgpack(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

// BenchmarkMsgpackLibrary is what generated encoders are held against.
func BenchmarkMsgpackLibrary(b *testing.B) {
	r := sample("us04web.zoom.us")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := msgpack.Marshal(r); err != nil {
			b.Fatal(err)
		}
	}
}
