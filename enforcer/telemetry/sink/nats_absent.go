//go:build !sink_nats

package sink

func kindsNATS() []opener { return nil }
