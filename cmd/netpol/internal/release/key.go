package release

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// The first word of a line that holds a key.
const (
	publicWord  = "netpol-ed25519"
	privateWord = "netpol-ed25519-private"
)

// maxKeyFile bounds a file of keys.
const maxKeyFile = 64 << 10

// ErrNoKey says that a file has no public key: nothing could be verified.
var ErrNoKey = errors.New("there is no public key in it: without one no release can be verified")

// PublicKey verifies releases.
type PublicKey struct {
	key     ed25519.PublicKey
	Comment string
}

// PrivateKey signs releases.
type PrivateKey struct {
	key     ed25519.PrivateKey
	Comment string
}

// encoding refuses what has a second form.
var encoding = base64.StdEncoding.Strict()

// NewKey makes a key pair from the system's random source.
func NewKey(comment string) (PrivateKey, error) {
	if !printable(comment) || len(comment) > maxText {
		return PrivateKey{}, fmt.Errorf("comment %q: give printable text in one line", comment)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("make key: %w", err)
	}
	return PrivateKey{key, strings.TrimSpace(comment)}, nil
}

// Public is the other half.
func (k PrivateKey) Public() PublicKey {
	return PublicKey{k.key.Public().(ed25519.PublicKey), k.Comment}
}

// Line is the key as its file holds it.
func (k PrivateKey) Line() string { return keyLine(privateWord, k.key.Seed(), k.Comment) }

// Line is the key as a router's configuration holds it.
func (k PublicKey) Line() string { return keyLine(publicWord, k.key, k.Comment) }

// ID names the key in a release: the beginning of its sha256. It finds the key and
// proves nothing.
func (k PublicKey) ID() string {
	sum := sha256.Sum256(k.key)
	return hex.EncodeToString(sum[:8])
}

func keyLine(word string, key []byte, comment string) string {
	return strings.TrimSpace(word+" "+encoding.EncodeToString(key)+" "+comment) + "\n"
}

// ParsePrivateKey reads the line of a private key.
func ParsePrivateKey(data []byte) (PrivateKey, error) {
	var found *PrivateKey
	err := keyLines(data, func(word, value, comment string) error {
		if word == publicWord {
			return errors.New("this is a public key; the private one signs")
		}
		seed, err := encoding.DecodeString(value)
		switch {
		case word != privateWord || err != nil || len(seed) != ed25519.SeedSize:
			return errors.New("not a private key of netpol keygen")
		case found != nil:
			return errors.New("a second key; a file holds one")
		}
		found = &PrivateKey{ed25519.NewKeyFromSeed(seed), comment}
		return nil
	})
	if err == nil && found == nil {
		err = errors.New("there is no private key in it")
	}
	if err != nil {
		return PrivateKey{}, fmt.Errorf("read private key: %w", err)
	}
	return *found, nil
}

// ParsePublicKeys reads public keys, one a line; empty lines and lines that begin
// with # say nothing. Any other line is an error, and so is a file without a key.
func ParsePublicKeys(data []byte) ([]PublicKey, error) {
	var keys []PublicKey
	err := keyLines(data, func(word, value, comment string) error {
		if word == privateWord {
			return errors.New("this is a private key; a router is given the public one, the file that ends in .pub")
		}
		key, err := encoding.DecodeString(value)
		if word != publicWord || err != nil || len(key) != ed25519.PublicKeySize {
			return errors.New("not a public key of netpol keygen")
		}
		keys = append(keys, PublicKey{ed25519.PublicKey(key), comment})
		return nil
	})
	if err == nil && len(keys) == 0 {
		err = ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read public keys: %w", err)
	}
	return keys, nil
}

// keyLines calls f for each line that is no comment.
func keyLines(data []byte, f func(word, value, comment string) error) error {
	if len(data) > maxKeyFile {
		return fmt.Errorf("larger than %d bytes", maxKeyFile)
	}
	lines := bufio.NewScanner(strings.NewReader(string(data)))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		word, rest, _ := strings.Cut(text, " ")
		value, comment, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if err := f(word, value, strings.TrimSpace(comment)); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// ReadPrivateKey reads a private key's file. One that others may read is refused:
// who has the key decides what every router does.
func ReadPrivateKey(path string) (PrivateKey, error) {
	data, mode, err := readKeyFile(path)
	if err != nil {
		return PrivateKey{}, err
	}
	if mode.Perm()&0o077 != 0 {
		return PrivateKey{}, fmt.Errorf("read private key: %s may be read by others (mode %04o); chmod 600 it, and think about who has seen it", path, mode.Perm())
	}
	key, err := ParsePrivateKey(data)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// ReadPublicKeys reads a file of public keys. One that everybody may write is
// refused: anybody could put a key of his own there.
func ReadPublicKeys(path string) ([]PublicKey, error) {
	data, mode, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	if mode.Perm()&0o002 != 0 {
		return nil, fmt.Errorf("read public keys: anybody may write %s (mode %04o); chmod 644 it after a look at what it says", path, mode.Perm())
	}
	keys, err := ParsePublicKeys(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func readKeyFile(path string) ([]byte, fs.FileMode, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("read key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("read key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("read key: %s is not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read key: %w", err)
	}
	return data, info.Mode(), nil
}
