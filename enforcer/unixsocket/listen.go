package unixsocket

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrAnswered says that somebody answers on the socket.
var ErrAnswered = errors.New("somebody answers there already")

// Socket is a listening socket and the file it is reached by.
type Socket struct {
	net.Listener
	path string
	info fs.FileInfo
	once sync.Once
}

// Listen makes a socket at path. A socket that a dead process left behind is
// replaced; one that is answered is ErrAnswered. It is born in a directory that
// nobody else may enter and moved to its place when its mode is right: between
// bind and chmod it would be open to all.
func Listen(path string, mode fs.FileMode) (*Socket, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, ErrAnswered
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, errors.New("a file that is not a socket is in the way")
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".np")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	born := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	s := &Socket{Listener: l, path: path}
	for _, step := range []func() error{
		func() error { return os.Chmod(born, mode) },
		func() error { return os.Rename(born, path) },
		func() (err error) { s.info, err = os.Lstat(path); return err },
	} {
		if err := step(); err != nil {
			l.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close stops listening and removes the file, unless a successor has put its
// own there.
func (s *Socket) Close() error {
	var err error
	s.once.Do(func() {
		if info, missing := os.Lstat(s.path); missing == nil && os.SameFile(info, s.info) {
			os.Remove(s.path)
		}
		err = s.Listener.Close()
	})
	return err
}
