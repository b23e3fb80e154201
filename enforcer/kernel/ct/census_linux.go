package ct

import (
	"fmt"

	"github.com/netpol/netpol/enforcer/flow"
)

// Census is how many connections carry labels.
type Census struct {
	Connections int
	Bits        [128]int // connections that carry the label bit
}

// TakeCensus counts the label bits of all connections of the network namespace:
// 2 us each.
func TakeCensus() (Census, error) {
	var out Census
	client, err := Open()
	if err != nil {
		return out, err
	}
	defer func() { _ = client.Close() }()
	err = client.Connections(0, 0, func(c *flow.Connection) error {
		out.Connections++
		for i, b := range c.Labels {
			for bit := 0; b != 0; bit, b = bit+1, b>>1 {
				if b&1 != 0 {
					out.Bits[8*i+bit]++
				}
			}
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("count labels: %w", err)
	}
	return out, nil
}
