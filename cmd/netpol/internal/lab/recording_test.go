package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

func TestRecordingCanBePlayed(t *testing.T) {
	call := lab.Call()
	topology := newTopology(t, call)
	path := filepath.Join(t.TempDir(), "call.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	o, err := lab.Record(topology.Client, lab.Inside, file)
	if err != nil {
		t.Fatal(err)
	}
	traffic, err := lab.NewTraffic(topology, call)
	if err != nil {
		t.Fatal(err)
	}
	if err := traffic.Play(context.Background(), call); err != nil {
		t.Error(err)
	}
	if err := traffic.Close(); err != nil {
		t.Error(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := lab.ReadCapture(path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.Client()
	if err != nil || client != call[0].Client.Addr() {
		t.Errorf("got client %v, %v, want %v", client, err, call[0].Client.Addr())
	}
	both := map[tuple]int{}
	for _, p := range c.Packets {
		both[tuple{p.Proto, p.Src, p.Dst}]++
		if p.Length > 1500 {
			t.Errorf("got a packet of %d bytes of %v, want no more than the MTU", p.Length, p.Src)
		}
	}
	for _, conversation := range call {
		if conversation.Kind != lab.KindZoomMedia {
			continue
		}
		up := both[tuple{17, conversation.Client, conversation.Server}]
		down := both[tuple{17, conversation.Server, conversation.Client}]
		if up < 12 || down < 12 {
			t.Errorf("got %d packets up and %d down of %v, want 12 or more", up, down, conversation.Client)
		}
	}
}
