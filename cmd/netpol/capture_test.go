package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// emptyCapture is a capture file with one packet of 60 zero bytes
// (draft-ietf-opsawg-pcap).
func emptyCapture(link uint32) []byte {
	var b []byte
	le := binary.LittleEndian
	b = le.AppendUint32(b, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...) // time zone, accuracy
	b = le.AppendUint32(b, 65535)     // snap length
	b = le.AppendUint32(b, link)
	b = append(b, make([]byte, 8)...) // time of the packet
	b = le.AppendUint32(b, 60)
	b = le.AppendUint32(b, 60)
	return append(b, make([]byte, 60)...)
}

// tlsCapture is a capture of one opening of a TLS connection for each host
// name, from port 40000 on, to 198.51.100.1 and onwards.
func tlsCapture(names ...string) ([]byte, error) {
	var out bytes.Buffer
	w := pcapgo.NewWriter(&out)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		return nil, err
	}
	at := time.Unix(1_700_000_000, 0)
	for i, name := range names {
		for _, p := range opening(i, clientHello(name)) {
			at = at.Add(time.Millisecond)
			if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(p), Length: len(p)}, p); err != nil {
				return nil, err
			}
		}
	}
	return out.Bytes(), nil
}

// clientHello is what crypto/tls sends first.
func clientHello(name string) []byte {
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		_ = tls.Client(client, &tls.Config{ServerName: name}).Handshake() // ends when the pipe closes
	}()
	hello := make([]byte, 4096)
	n, _ := server.Read(hello)
	return hello[:n]
}

// opening is the handshake of connection i and its first data.
func opening(i int, data []byte) [][]byte {
	client, server := net.IPv4(192, 168, 1, 10), net.IPv4(198, 51, 100, byte(1+i))
	segment := func(reply bool, tcp layers.TCP, payload []byte) []byte {
		eth := layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
		ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: client, DstIP: server}
		tcp.SrcPort, tcp.DstPort = layers.TCPPort(40000+i), 443
		if reply {
			ip.SrcIP, ip.DstIP = server, client
			tcp.SrcPort, tcp.DstPort = tcp.DstPort, tcp.SrcPort
		}
		b := gopacket.NewSerializeBuffer()
		err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, &eth, &ip, &tcp, gopacket.Payload(payload))
		if err != nil {
			panic(err) // the layers are constants but for lengths
		}
		return b.Bytes()
	}
	return [][]byte{
		segment(false, layers.TCP{SYN: true, Seq: 100}, nil),
		segment(true, layers.TCP{SYN: true, ACK: true, Seq: 500, Ack: 101}, nil),
		segment(false, layers.TCP{ACK: true, Seq: 101, Ack: 501}, nil),
		segment(false, layers.TCP{ACK: true, PSH: true, Seq: 101, Ack: 501}, data),
	}
}

func TestClientHelloOfCaptures(t *testing.T) {
	if hello := clientHello("zoom.us"); !bytes.Contains(hello, []byte("zoom.us")) {
		t.Errorf("no server name in the %d bytes of a ClientHello", len(hello))
	}
}
