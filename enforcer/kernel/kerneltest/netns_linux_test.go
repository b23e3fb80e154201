package kerneltest

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/flow"
)

func TestNewNSIsEmptyAndLeft(t *testing.T) {
	before, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("inside", func(t *testing.T) {
		NewNS(t)
		inside, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil || inside == before {
			t.Errorf("namespace inside is %s, outside %s (%v)", inside, before, err)
		}
		devices, err := net.Interfaces()
		if err != nil || len(devices) != 1 || devices[0].Name != "lo" || devices[0].Flags&net.FlagUp == 0 {
			t.Errorf("interfaces %v, want lo alone, up (%v)", devices, err)
		}
	})
	after, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil || after != before {
		t.Errorf("namespace after is %s, before %s (%v)", after, before, err)
	}
}

func TestLabForwards(t *testing.T) {
	lab := NewLab(t)
	for name, server := range map[string]string{
		"ipv4": net.JoinHostPort(lab.ServerAddr4.String(), "9"),
		"ipv6": net.JoinHostPort(lab.ServerAddr6.String(), "9"),
	} {
		t.Run(name, func(t *testing.T) {
			var in net.PacketConn
			var out net.Conn
			var err error
			lab.Server.Do(func() { in, err = net.ListenPacket("udp", server) })
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close() }()
			lab.Client.Do(func() { out, err = net.Dial("udp", server) })
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = out.Close() }()
			if _, err := out.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			_ = in.SetReadDeadline(time.Now().Add(5 * time.Second))
			buf := make([]byte, 16)
			if n, _, err := in.ReadFrom(buf); err != nil || string(buf[:n]) != "hello" {
				t.Errorf("server got %q, %v", buf[:n], err)
			}
		})
	}
}

func TestLogText(t *testing.T) {
	var l Log
	u := flow.Update{Mark: 1, MarkMask: 3}
	u.Tuple.Proto = 17
	u.Labels[0], u.LabelMask[0] = 2, 6
	if err := l.Write(u); err != nil {
		t.Fatal(err)
	}
	want := "ct 17 invalid IP.0 > invalid IP.0 labels [1] of [1 2] mark 0x1/0x3\n"
	if diff := cmp.Diff(want, l.String()); diff != "" {
		t.Error(diff)
	}
}
