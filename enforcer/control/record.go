package control

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrRecord says that a record is not what was written: a disk or a hand has
// changed it.
var ErrRecord = errors.New("the record does not match its checksum")

// sumPrefix begins a record's second line.
const sumPrefix = "sha256 "

// EncodeRecord makes a record of the state directory: a line of JSON, and a line
// with its digest, so that a changed byte is found.
func EncodeRecord(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	line = append(line, '\n')
	return append(line, sumLine(line)...), nil
}

// DecodeRecord reads what EncodeRecord wrote; on an error, into may have been
// written to. JSON alone is a record of an older netpol, which had no digests.
func DecodeRecord(data []byte, into any) error {
	if line := bytes.IndexByte(data, '\n') + 1; line > 0 && line < len(data) {
		if !bytes.Equal(data[line:], sumLine(data[:line])) {
			return ErrRecord
		}
		data = data[:line]
	}
	return json.Unmarshal(data, into)
}

func sumLine(line []byte) []byte {
	sum := sha256.Sum256(line)
	return append(hex.AppendEncode([]byte(sumPrefix), sum[:]), '\n')
}
