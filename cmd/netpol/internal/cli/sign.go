package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/cmd/netpol/internal/revision"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/quantity"
)

// releaseName is what a release is called unless somebody says otherwise, in
// directories and repositories too.
const releaseName = "netpol.npr"

type signArgs struct {
	source  string // a policy directory or a bundle
	key     string
	out     string
	serial  uint64 // 0: the time
	target  string
	life    string
	author  string
	message string
	commit  string
}

func newSignCommand(t *tool) *cobra.Command {
	var a signArgs
	cmd := &cobra.Command{
		Use:   "sign --key FILE [POLICIES | BUNDLE]",
		Short: "Make a signed release of a policy set",
		Long: `Compile a policy directory (default: the working directory), or take the bundle that
netpol compile made, and write it with a manifest and a signature over that into one
file, a release: what netpol pull takes. The manifest holds a serial number, when the
release was made and when it expires, the router it is for, the digest of the bundle,
and author, message and commit, by default those of the policies' git commit if the
files are as they were committed.

A router never takes a release with a lower serial than it has had. By default the
serial is the time in seconds, so that each release is newer than the one before; to
go back to earlier policies, sign them anew. After --expires no router begins to use
the release; one that runs it goes on.

The labels of the policies must be pinned in netpol.lock.hcl, so that they have the same
bits in each release: netpol compile pins them.

--key - reads the private key from the standard input, which suits the secrets of a
pipeline: printf '%s' "$KEY" | netpol sign --key - policies.

Exit codes: 0 signed, 1 error, and nothing is written.`,
		Example: `  netpol sign --key release.key policies
  netpol sign --key release.key --target branch-7 --expires 30d --out branch-7.npr policies
  netpol sign --key release.key --message 'calls first' build/bundle.npb`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && isFile(args[0]) {
				a.source = args[0]
				return t.sign(cmd.Context(), a)
			}
			var err error
			if a.source, err = t.policyDir(args); err != nil {
				return err
			}
			return t.sign(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	f.StringVar(&a.key, "key", "", "`file` of the private key; - is the standard input")
	f.StringVar(&a.out, "out", releaseName, "`file` to write")
	f.Uint64Var(&a.serial, "serial", 0, "`number` of the release, higher than the one before (default the time in seconds since 1970)")
	f.StringVar(&a.target, "target", release.AnyTarget, "`name` of the router, or group of routers, that it is for")
	f.StringVar(&a.life, "expires", "90d", "`time` after which no router begins to use it, such as 12h or 30d")
	f.StringVar(&a.author, "author", "", "`name` for the history (default the commit's author)")
	f.StringVar(&a.message, "message", "", "`text` for the history (default the commit's first line)")
	f.StringVar(&a.commit, "commit", "", "git `commit` of the policies (default that of their directory)")
	if err := cmd.MarkFlagRequired("key"); err != nil {
		panic(err) // the flag is some lines above
	}
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (t *tool) sign(ctx context.Context, a signArgs) error {
	key, err := t.signingKey(a.key)
	if err != nil {
		return err
	}
	life, problem := quantity.Parse(a.life, quantity.Seconds)
	if problem != quantity.None || life < 1 {
		return fmt.Errorf("--expires %q: write a time with one of %s, such as 30d", a.life, quantity.Names(quantity.Seconds))
	}
	m, encoded, err := t.signable(ctx, a)
	if err != nil {
		return err
	}
	m.Created = time.Now().UTC().Truncate(time.Second)
	m.Expires = m.Created.Add(time.Duration(life) * time.Second)
	m.Target = a.target
	m.Serial = cmp.Or(a.serial, uint64(m.Created.Unix()))
	data, err := release.Sign(m, encoded, key)
	if err != nil {
		return err
	}
	if err := writeFile(a.out, data); err != nil {
		return err
	}
	r, err := release.Open(data, []release.PublicKey{key.Public()})
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	return view.Signed(t.Out, view.Release{File: a.out, Release: r}, t.json, t.style(t.Out))
}

// maxKey bounds a private key on the standard input, in bytes.
const maxKey = 64 << 10

func (t *tool) signingKey(path string) (release.PrivateKey, error) {
	if path != "-" {
		return release.ReadPrivateKey(path)
	}
	data, err := io.ReadAll(io.LimitReader(t.In, maxKey))
	if err != nil {
		return release.PrivateKey{}, fmt.Errorf("read private key: %w", err)
	}
	return release.ParsePrivateKey(data)
}

var errUnpinned = errors.New("the set has labels that are not pinned in " + lang.LockName +
	": netpol compile --out DIR pins them; commit that file, so that they keep their bits")

// signable is the bundle to sign, and what there is to say of it.
func (t *tool) signable(ctx context.Context, a signArgs) (release.Manifest, []byte, error) {
	m := release.Manifest{Author: a.author, Message: a.message, Commit: a.commit}
	if isFile(a.source) {
		encoded, err := readLimited(a.source, artifact.MaxBytes)
		return m, encoded, err
	}
	set, err := t.mustCompile(a.source, foreign{})
	if err != nil {
		return m, nil, err
	}
	pins, err := set.lockUpdate(compiler.Router{})
	if err != nil {
		return m, nil, err
	}
	if len(pins.pinned) > 0 {
		return m, nil, fmt.Errorf("%w (%s)", errUnpinned, strings.Join(pins.pinned, ", "))
	}
	head, ok := revision.At(ctx, a.source)
	switch {
	case !ok:
	case revision.Unchanged(ctx, a.source):
		m.Commit = cmp.Or(m.Commit, head.Commit)
		m.Message = cmp.Or(m.Message, oneLine(head.Subject))
		m.Author = cmp.Or(m.Author, oneLine(head.Author))
	default: // no commit says what is signed
		m.Message = cmp.Or(m.Message, fmt.Sprintf("uncommitted changes on %.12s", head.Commit))
	}
	encoded, err := artifact.Encode(set.bundle)
	return m, encoded, err
}

// oneLine takes out of a commit's text what no manifest may hold.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, text)
}

// readLimited reads a regular file of a bounded size.
func readLimited(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(limit) {
		return nil, fmt.Errorf("read %s: not a regular file of at most %d bytes", path, limit)
	}
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}
