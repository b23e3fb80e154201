package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/packet"
)

// pace has a source's packets come as far apart as their time stamps are, or so
// many times faster. A capture begins when its first packet is read.
type pace struct {
	enforcer.Source
	ctx   context.Context
	speed float64

	begun time.Time // zero before the capture's first packet
	first int64     // its time stamp
}

// parseSpeed reads "2x", "0.5" or "max", which is 0.
func parseSpeed(text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf(`--speed %q: write how many times faster than recorded packets are read, such as 1x or 0.5x, or max for as fast as possible`, text)
	}
	return v, nil
}

// Next reads the next packet and waits for its time.
func (p *pace) Next(raw *packet.Raw) error {
	if err := p.Source.Next(raw); err != nil {
		p.begun = time.Time{}
		return err
	}
	if p.begun.IsZero() {
		p.begun, p.first = time.Now(), raw.Timestamp
	}
	due := p.begun.Add(time.Duration(float64(raw.Timestamp-p.first) / p.speed))
	if left := time.Until(due); left > 0 {
		select {
		case <-p.ctx.Done(): // the engine sees it, after this packet
		case <-time.After(left):
		}
	}
	return nil
}
