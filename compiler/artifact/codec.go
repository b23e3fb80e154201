package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// FormatVersion is the bundle format that this code writes and reads. It goes
// up whenever an older reader would misunderstand a newer bundle.
const FormatVersion = 1

// MaxBytes bounds an encoded bundle. Ten thousand policies with the standard
// catalogue take about 6 MB; a router must not be talked into more than this.
const MaxBytes = 64 << 20

// magic is the first line of an encoded bundle.
const magic = "netpol-bundle\n"

// Errors of Decode and Encode, to be told apart with errors.Is.
var (
	ErrMagic     = errors.New("not a netpol bundle")
	ErrNewer     = errors.New("bundle is newer than this program reads")
	ErrFormat    = errors.New("bundle format is not supported")
	ErrHeader    = errors.New("bundle header is malformed")
	ErrTruncated = errors.New("bundle is truncated")
	ErrTrailing  = errors.New("bundle has bytes after its end")
	ErrDigest    = errors.New("bundle does not match its digest")
	ErrPayload   = errors.New("bundle payload is malformed")
	ErrTooLarge  = errors.New("bundle is too large")
)

// Encode writes a bundle: four header lines a person can read (magic, format,
// sha256 and size of the payload), then the payload, one line of JSON. Equal
// bundles have equal encodings. The bundle's Format must be FormatVersion.
func Encode(b *Bundle) ([]byte, error) {
	if b.Format != FormatVersion {
		return nil, fmt.Errorf("encode bundle: format %d: %w", b.Format, ErrFormat)
	}
	body, err := payload(b)
	if err != nil {
		return nil, fmt.Errorf("encode bundle: %w", err)
	}
	sum := sha256.Sum256(body)
	head := magic + "format " + strconv.Itoa(FormatVersion) + "\nsha256 " + hex.EncodeToString(sum[:]) +
		"\nsize " + strconv.Itoa(len(body)) + "\n"
	if len(head)+len(body) > MaxBytes {
		return nil, fmt.Errorf("encode bundle: %d bytes of at most %d: %w", len(head)+len(body), MaxBytes, ErrTooLarge)
	}
	return append([]byte(head), body...), nil
}

// Decode reads what Encode wrote. It never trusts the payload before its
// digest and size are right: any single changed byte is an error. A digest is
// no signature; whoever may write the file may write another bundle.
func Decode(data []byte) (*Bundle, error) {
	b, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode bundle: %w", err)
	}
	return b, nil
}

// Digest is the lower-case hex sha256 of the bundle's payload, the same that
// its encoding carries in the header. It is empty if b cannot be encoded.
func (b *Bundle) Digest() string {
	body, err := payload(b)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// payload is the canonical JSON of a bundle. There are no maps in a Bundle, so
// the encoding has one form.
func payload(b *Bundle) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func decode(data []byte) (*Bundle, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%d bytes of at most %d: %w", len(data), MaxBytes, ErrTooLarge)
	}
	h, body, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	switch {
	case len(body) < h.size:
		return nil, fmt.Errorf("%d of %d payload bytes: %w", len(body), h.size, ErrTruncated)
	case len(body) > h.size:
		return nil, fmt.Errorf("%d of %d payload bytes: %w", len(body), h.size, ErrTrailing)
	}
	sum := sha256.Sum256(body)
	if got := hex.EncodeToString(sum[:]); got != h.digest {
		return nil, fmt.Errorf("payload has sha256 %s, header says %s: %w", got, h.digest, ErrDigest)
	}
	return readPayload(body)
}

// WayOut is what to do about a bundle that Decode refuses, or that cannot be taken for
// another reason.
func WayOut(err error) string {
	if errors.Is(err, ErrNewer) {
		return "install netpol and netpold of the version that made it, and start netpold again; or netpol apply with this one"
	}
	return "netpol apply, or netpol restore for the last revision that can be read"
}

func readPayload(body []byte) (*Bundle, error) {
	catalogue, rest, cut := cutCatalogue(body)
	if cut {
		body = rest
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	b := new(Bundle)
	if err := dec.Decode(b); err != nil {
		// The digest has been right: what is not known was meant.
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return nil, fmt.Errorf("it has %s, which this program does not know; install a newer netpol: %w", field, ErrNewer)
		}
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than one JSON value: %w", ErrPayload)
	}
	if b.Format != FormatVersion {
		return nil, fmt.Errorf("payload says format %d, header %d: %w", b.Format, FormatVersion, ErrFormat)
	}
	if cut {
		b.Catalogue = catalogue
	}
	return b, nil
}

type header struct {
	digest string
	size   int
}

func readHeader(data []byte) (header, []byte, error) {
	var h header
	if !bytes.HasPrefix(data, []byte(magic)) {
		if len(data) < len(magic) && strings.HasPrefix(magic, string(data)) {
			return h, nil, fmt.Errorf("%d bytes: %w", len(data), ErrTruncated)
		}
		return h, nil, ErrMagic
	}
	rest := data[len(magic):]
	version, rest, err := headerNumber(rest, "format ")
	if err != nil {
		return h, nil, err
	}
	// The version is judged before the rest of the header: a later format may
	// continue in another way.
	switch {
	case version > FormatVersion:
		return h, nil, fmt.Errorf("format %d, this program reads %d; install a newer netpol: %w", version, FormatVersion, ErrNewer)
	case version < FormatVersion:
		return h, nil, fmt.Errorf("format %d: %w", version, ErrFormat)
	}
	if h.digest, rest, err = headerField(rest, "sha256 "); err != nil {
		return h, nil, err
	}
	if h.size, rest, err = headerNumber(rest, "size "); err != nil {
		return h, nil, err
	}
	return h, rest, nil
}

// maxField bounds a header line's value: a sha256 in hex.
const maxField = 2 * sha256.Size

// headerField reads one "name value\n" line.
func headerField(data []byte, name string) (string, []byte, error) {
	end := bytes.IndexByte(data[:min(len(data), len(name)+maxField+1)], '\n')
	if end < 0 {
		if len(data) <= len(name)+maxField {
			return "", nil, fmt.Errorf("header ends at %q: %w", strings.TrimSpace(name), ErrTruncated)
		}
		return "", nil, fmt.Errorf("line %q: %w", strings.TrimSpace(name), ErrHeader)
	}
	value, ok := strings.CutPrefix(string(data[:end]), name)
	if !ok {
		return "", nil, fmt.Errorf("line %q: %w", strings.TrimSpace(name), ErrHeader)
	}
	return value, data[end+1:], nil
}

// headerNumber reads a line whose value is a number in its shortest form, so
// that no byte of the header can change unseen.
func headerNumber(data []byte, name string) (int, []byte, error) {
	value, rest, err := headerField(data, name)
	if err != nil {
		return 0, nil, err
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || strconv.Itoa(n) != value {
		return 0, nil, fmt.Errorf("line %q has value %q: %w", strings.TrimSpace(name), value, ErrHeader)
	}
	return n, rest, nil
}
