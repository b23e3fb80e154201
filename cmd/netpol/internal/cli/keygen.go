package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

// publicSuffix is what the public key's file has behind the private one's name.
const publicSuffix = ".pub"

func newKeygenCommand(t *tool) *cobra.Command {
	comment := ""
	cmd := &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key pair for signed releases",
		Long: `Make an ed25519 key pair. The private key goes into FILE, which nobody else may
read (mode 0600): netpol sign needs it, and it belongs where releases are made, such
as a pipeline's secrets. The public key goes into FILE.pub, one line, and every router
is given it (/etc/netpol/release.pub): netpol pull takes what it verifies and nothing
else. Files that exist are never overwritten.

To change keys, add the new public key's line to each router's file, sign with the
new private key, and take the old line out.

Exit codes: 0 made, 1 error.`,
		Example: `  netpol keygen release.key
  sudo install -m 0644 release.key.pub /etc/netpol/release.pub`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("comment") {
				comment = signer()
			}
			return t.keygen(args[0], comment)
		},
	}
	cmd.Flags().StringVar(&comment, "comment", "", "`text` at the end of both lines (default user@host)")
	t.addJSONFlag(cmd)
	return cmd
}

// signer is who works here, for the comment of a key.
func signer() string {
	host, err := os.Hostname()
	if err != nil {
		return router.Author()
	}
	return router.Author() + "@" + host
}

func (t *tool) keygen(path, comment string) error {
	key, err := release.NewKey(comment)
	if err != nil {
		return err
	}
	if err := createFile(path, []byte(key.Line()), 0o600); err != nil {
		return fmt.Errorf("write private key: %w", err)
	}
	public := key.Public()
	if err := createFile(path+publicSuffix, []byte(public.Line()), 0o644); err != nil {
		return errors.Join(fmt.Errorf("write public key: %w", err), os.Remove(path))
	}
	return view.KeyMade(t.Out, view.Key{Private: path, Public: path + publicSuffix, Line: public.Line(), ID: public.ID()}, t.json)
}

// createFile writes a file that must not exist yet.
func createFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
