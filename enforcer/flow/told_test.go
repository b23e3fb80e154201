package flow

import (
	"testing"
	"time"
	"unsafe"
)

// TestRecordSize: with slots of 8 bytes, of which half are in use, a flow takes 129 bytes.
func TestRecordSize(t *testing.T) {
	if got := unsafe.Sizeof(Record{}); got > 112 {
		t.Errorf("a record has %d bytes, want at most 112", got)
	}
}

func TestToldAgo(t *testing.T) {
	const start = int64(1_700_000_000e9)
	var r Record
	r.SetISN(true, 7)
	r.See()
	r.Decide(start)
	r.Tell(start + int64(10*time.Millisecond))
	r.SetISN(true, 8) // which must not disturb the times
	for _, tt := range []struct {
		after         time.Duration
		told, decided time.Duration
	}{
		{0, -10 * time.Millisecond, 0},
		{10 * time.Millisecond, 0, 10 * time.Millisecond},
		{2 * time.Second, 1990 * time.Millisecond, 2 * time.Second},
		{5 * time.Hour, 5*time.Hour - 10*time.Millisecond, 5 * time.Hour},
	} {
		at := start + int64(tt.after)
		near(t, "told", r.ToldAgo(at), tt.told)
		near(t, "decided", r.DecidedAgo(at), tt.decided)
	}
	at := start + int64(time.Hour)
	if r.Tell(at); r.ToldAgo(at) != 0 || r.DecidedAgo(at) < time.Minute {
		t.Errorf("told again: %v ago, and decided %v, want now and a minute at least", r.ToldAgo(at), r.DecidedAgo(at))
	}
	r.Reopen()
	if r.Has(Done) || r.Has(SynServer) || r.Seen() != 0 {
		t.Errorf("reopened: %+v", r)
	}
}

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if off := got - want; off < -2*time.Millisecond || off > 2*time.Millisecond {
		t.Errorf("%s %v ago, want %v", what, got, want)
	}
}

// TestToldLongAgo: a flow that lives for days does not seem to have been told lately.
func TestToldLongAgo(t *testing.T) {
	table := NewTable(1, 1, Timeouts{Established: time.Hour}, nil)
	r := table.At(table.Insert(key(1), Established, 0))
	r.Decide(0)
	r.Tell(0)
	for now := int64(0); now < int64(10*24*time.Hour); now += int64(10 * time.Minute) {
		r.LastSeen = now
		table.Expire(now, 1, func(ID, *Record) { t.Fatal("ended") })
		if ago := r.ToldAgo(now); ago < min(time.Duration(now), 19*time.Hour)-time.Second {
			t.Fatalf("after %v: told %v ago", time.Duration(now), ago)
		}
	}
}

// TestFieldsInTurn: what shares a field is each other's neighbour in no flow.
func TestFieldsInTurn(t *testing.T) {
	var tcp, udp Record
	tcp.SetISN(false, 1000)
	tcp.SetISN(true, 2000)
	tcp.See()
	tcp.See()
	if tcp.ISN(false) != 1000 || tcp.ISN(true) != 2000 || tcp.Seen() != 2 || !tcp.Has(SynClient|SynServer) {
		t.Errorf("TCP: %+v", tcp)
	}
	tcp.Decide(1e9)
	if tcp.ISN(false) != 1000 {
		t.Errorf("decided: the client's sequence number is %d", tcp.ISN(false))
	}
	udp.Watch(37)
	udp.Decide(1e9)
	if udp.Dissector() != 37 || !udp.Has(Watched|Done) {
		t.Errorf("UDP: %+v", udp)
	}
}
