package kerneltest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/netpol/netpol/enforcer/flow"
)

// Log is a fake kernel: it writes down every operation, one a line, so that a
// test compares text. The zero value is ready; it is safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	lines []string
}

// Write logs a label write in the shape of the ctnetlink sink.
func (l *Log) Write(u flow.Update) error {
	line := fmt.Sprintf("ct %d %s", u.Tuple.Proto, endpoint(u.Tuple))
	if u.LabelMask != [16]byte{} {
		line += fmt.Sprintf(" labels %v of %v", bits(u.Labels), bits(u.LabelMask))
	}
	if u.MarkMask != 0 {
		line += fmt.Sprintf(" mark %#x/%#x", u.Mark, u.MarkMask)
	}
	l.Add(line)
	return nil
}

// Flush logs nothing: when a writer flushes is not what tests compare.
func (l *Log) Flush() error { return nil }

// Original knows no connection.
func (l *Log) Original(flow.Tuple) (flow.Tuple, bool) { return flow.Tuple{}, false }

// Add logs one line.
func (l *Log) Add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// String is the whole log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		return ""
	}
	return strings.Join(l.lines, "\n") + "\n"
}

func endpoint(t flow.Tuple) string {
	if t.Proto == 1 || t.Proto == 58 {
		return fmt.Sprintf("%s > %s type %d id %d", t.Src, t.Dst, t.ICMPType, t.ICMPID)
	}
	return fmt.Sprintf("%s.%d > %s.%d", t.Src, t.SrcPort, t.Dst, t.DstPort)
}

// bits are the numbers of the bits that are set.
func bits(b [16]byte) []int {
	set := []int{}
	for n := range 128 {
		if b[n/8]&(1<<(n%8)) != 0 {
			set = append(set, n)
		}
	}
	return set
}
