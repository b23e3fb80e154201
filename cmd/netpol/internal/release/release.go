package release

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// FormatVersion is the form that this code writes and reads.
const FormatVersion = 1

// MaxBytes bounds a release.
const MaxBytes = artifact.MaxBytes + maxManifest + 1<<10

const (
	magic = "netpol-release\n"
	// bundleMagic begins a bundle that nobody signed.
	bundleMagic = "netpol-bundle\n"
	// context stands before the manifest in what is signed, so that no signature
	// of the key over anything else is one over a manifest.
	context = "netpol release, format 1\n"
	// maxLine bounds a header line's value: a signature in base64.
	maxLine = 4 * ed25519.SignatureSize
)

// Release is a release as it was read.
type Release struct {
	Manifest Manifest
	Key      string // ID of the key that signed it
	Digest   string // sha256 of the whole file
	// Encoded is the bundle as netpold loads it.
	Encoded []byte
}

// Bundle decodes the bundle.
func (r *Release) Bundle() (*artifact.Bundle, error) {
	b, err := artifact.Decode(r.Encoded)
	if errors.Is(err, artifact.ErrNewer) {
		return nil, refuse(NewerFormat, "its bundle is newer than this netpol: %v", err)
	}
	if err != nil {
		return nil, refuse(WrongBundle, "its bundle cannot be used here: %v", err)
	}
	if b.Digest() != r.Manifest.Bundle.Digest {
		return nil, refuse(WrongBundle, "its bundle is %.12s, and the manifest speaks of %.12s", b.Digest(), r.Manifest.Bundle.Digest)
	}
	return b, nil
}

// Sign makes a release of an encoded bundle. The manifest's Bundle is filled in.
func Sign(m Manifest, encoded []byte, key PrivateKey) ([]byte, error) {
	b, err := artifact.Decode(encoded)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(encoded)
	m.Bundle = Content{Digest: b.Digest(), SHA256: hex.EncodeToString(sum[:]), Bytes: len(encoded)}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	manifest, err := m.encode()
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signature := ed25519.Sign(key.key, append([]byte(context), manifest...))
	var out bytes.Buffer
	fmt.Fprintf(&out, "%sformat %d\nkey %s\nsignature %s\nmanifest %d\n",
		magic, FormatVersion, key.Public().ID(), encoding.EncodeToString(signature), len(manifest))
	out.Write(manifest)
	out.Write(encoded)
	return out.Bytes(), nil
}

// Open verifies that one of the keys signed the release and that it is whole. It
// says nothing about whether the release is for this router and this day: see
// Trust. The error is a *Refusal.
func Open(data []byte, keys []PublicKey) (*Release, error) {
	if len(data) > MaxBytes {
		return nil, refuse(TooLarge, "it has more than %d bytes", MaxBytes)
	}
	h, rest, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	if len(rest) < h.manifest {
		return nil, refuse(Malformed, "it is cut short in its manifest")
	}
	if err := verify(h, rest[:h.manifest], keys); err != nil {
		return nil, err
	}
	return unpack(h, data, rest)
}

// OpenKept is Open for the file that root keeps of the release in force. The key that
// signed it may have been taken out of the keys since.
func OpenKept(data []byte, keys []PublicKey) (*Release, error) {
	r, err := Open(data, keys)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Reason != UnknownKey {
		return r, err
	}
	h, rest, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	return unpack(h, data, rest)
}

// unpack reads what stands behind the header, and holds it against each other.
func unpack(h header, data, rest []byte) (*Release, error) {
	m, err := decodeManifest(rest[:h.manifest])
	if err != nil {
		return nil, refuse(Malformed, "%v", err)
	}
	encoded := rest[h.manifest:]
	sum := sha256.Sum256(encoded)
	if len(encoded) != m.Bundle.Bytes || hex.EncodeToString(sum[:]) != m.Bundle.SHA256 {
		return nil, refuse(WrongBundle, "its bundle (%d bytes) is not the one that was signed (%d bytes, sha256 %.12s)", len(encoded), m.Bundle.Bytes, m.Bundle.SHA256)
	}
	return &Release{Manifest: *m, Key: h.key, Digest: Digest(data), Encoded: encoded}, nil
}

// Digest tells one release file from another.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// verify finds the key and holds the signature against it. Without keys nothing
// is ever valid.
func verify(h header, manifest []byte, keys []PublicKey) error {
	known := make([]string, 0, len(keys))
	for _, k := range keys {
		if k.ID() != h.key {
			known = append(known, k.ID())
			continue
		}
		if !ed25519.Verify(k.key, append([]byte(context), manifest...), h.signature) {
			return refuse(BadSignature, "its signature is not one of key %s over this manifest: it was changed after it was signed, or the transfer damaged it", h.key)
		}
		return nil
	}
	return refuse(UnknownKey, "key %s signed it, and that is none of the keys given (%s)", h.key, strings.Join(known, ", "))
}

type header struct {
	key       string
	signature []byte
	manifest  int // bytes
}

// readHeader reads the lines before the manifest. Each has one form, so that no
// byte can change unseen.
func readHeader(data []byte) (header, []byte, error) {
	var h header
	if bytes.HasPrefix(data, []byte(bundleMagic)) {
		return h, nil, refuse(Unsigned, "it is a bundle without a signature; netpol sign makes a release of it")
	}
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return h, nil, refuse(Malformed, "it is no release of netpol sign")
	}
	version, rest, err := numberLine(rest, "format")
	switch {
	case err != nil:
		return h, nil, err
	case version > FormatVersion:
		return h, nil, refuse(NewerFormat, "it has format %d, and this netpol reads %d; install a newer one", version, FormatVersion)
	case version < FormatVersion:
		return h, nil, refuse(Malformed, "there is no format %d", version)
	}
	if h.key, rest, err = headerLine(rest, "key"); err != nil {
		return h, nil, err
	}
	if id, err := hex.DecodeString(h.key); err != nil || len(id) != 8 || hex.EncodeToString(id) != h.key {
		return h, nil, refuse(Malformed, "its key has no name")
	}
	text, rest, err := headerLine(rest, "signature")
	if err != nil {
		return h, nil, refuse(Unsigned, "it has no signature")
	}
	h.signature, err = encoding.DecodeString(text)
	if err != nil || len(h.signature) != ed25519.SignatureSize {
		return h, nil, refuse(BadSignature, "its signature is none of ed25519")
	}
	if h.manifest, rest, err = numberLine(rest, "manifest"); err != nil {
		return h, nil, err
	}
	if h.manifest > maxManifest {
		return h, nil, refuse(TooLarge, "its manifest has %d bytes; at most %d are allowed", h.manifest, maxManifest)
	}
	return h, rest, nil
}

// headerLine reads one "name value\n".
func headerLine(data []byte, name string) (string, []byte, error) {
	end := bytes.IndexByte(data[:min(len(data), len(name)+1+maxLine+1)], '\n')
	if end < 0 {
		return "", nil, refuse(Malformed, "its line %q does not end", name)
	}
	value, ok := strings.CutPrefix(string(data[:end]), name+" ")
	if !ok || strings.ContainsAny(value, "\r\t ") {
		return "", nil, refuse(Malformed, "it has no line %q where it belongs", name)
	}
	return value, data[end+1:], nil
}

// numberLine reads a line whose value is a number in its shortest form.
func numberLine(data []byte, name string) (int, []byte, error) {
	value, rest, err := headerLine(data, name)
	if err != nil {
		return 0, nil, err
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || strconv.Itoa(n) != value {
		return 0, nil, refuse(Malformed, "its line %q holds no number", name)
	}
	return n, rest, nil
}
