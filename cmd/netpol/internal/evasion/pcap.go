package evasion

import "encoding/binary"

// pcapHeader begins a capture file of Ethernet frames with times in
// nanoseconds.
func pcapHeader() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, 1<<18) // the longest packet
	return binary.LittleEndian.AppendUint32(b, 1)  // LINKTYPE_ETHERNET
}

func appendPcap(b []byte, f frame) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(f.time/1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(f.time%1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.data)))
	return append(b, f.data...)
}
