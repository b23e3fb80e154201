//go:build !sink_otlp

package sink

func kindsOTLP() []opener { return nil }
