//go:build !sink_websocket

package sink

func kindsWebSocket() []opener { return nil }
