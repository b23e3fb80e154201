package lab

import (
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// recording writes frames to a pcap file; a nil recording writes nothing. The
// first error ends it and is told at the end.
type recording struct {
	out *pcapgo.Writer
	err error
}

func newRecording(w io.Writer) (*recording, error) {
	if w == nil {
		return nil, nil
	}
	r := &recording{out: pcapgo.NewWriterNanos(w)}
	if err := r.out.WriteFileHeader(maxSnaplen, layers.LinkTypeEthernet); err != nil {
		return nil, fmt.Errorf("write recording: %w", err)
	}
	return r, nil
}

func (r *recording) write(frame []byte) {
	if r == nil || r.err != nil {
		return
	}
	r.err = r.out.WritePacket(gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: len(frame), Length: len(frame)}, frame)
}

func (r *recording) finish() error {
	if r == nil || r.err == nil {
		return nil
	}
	return fmt.Errorf("write recording: %w", r.err)
}
