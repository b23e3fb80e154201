package lab_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

// unavailable says why the kernel tests cannot run here, empty if they can.
var unavailable string

// TestMain runs the tests inside namespaces of their own: they need no root.
func TestMain(m *testing.M) {
	if !lab.Entered() {
		code, err := lab.Enter(context.Background(), os.Args[1:])
		if err == nil {
			os.Exit(code)
		}
		unavailable = err.Error()
	} else if err := lab.Private(); err != nil {
		unavailable = err.Error()
	}
	os.Exit(m.Run())
}

// need skips a kernel test where the kernel refuses, or fails it where skips
// are not accepted.
func need(t *testing.T) {
	t.Helper()
	if unavailable == "" {
		return
	}
	if os.Getenv("NETPOL_REQUIRE_NETNS") != "" {
		t.Fatal(unavailable)
	}
	t.Skip(unavailable)
}

func newTopology(t *testing.T, conversations []lab.Conversation) *lab.Topology {
	t.Helper()
	need(t)
	topology, err := lab.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := topology.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := topology.AssignFor(conversations); err != nil {
		t.Fatal(err)
	}
	return topology
}

func observe(t *testing.T, ns *lab.Namespace, iface string) *lab.Observer {
	t.Helper()
	o, err := lab.Observe(ns, iface)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(fmt.Errorf("close observer: %w", err))
		}
	})
	return o
}
