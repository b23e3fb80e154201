package lang

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

// readTestDir reads the test files of a directory, keyed by file name, under
// the same rules as policy files.
func readTestDir(dir string, diags *diag.List) map[string][]byte {
	root, err := os.OpenRoot(dir)
	if err != nil {
		diags.Add(diag.New(diag.UnreadableFile, diag.Range{}, fmt.Sprintf("The policy directory cannot be opened: %v.", err)))
		return nil
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		diags.Add(diag.New(diag.UnreadableFile, diag.Range{}, fmt.Sprintf("The policy directory %s cannot be listed: %v.", dir, err)))
		return nil
	}
	files, total := map[string][]byte{}, 0
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, TestSuffix) {
			continue
		}
		src, err := readRegular(root, name, MaxFileBytes)
		if err != nil {
			diags.Add(readDiagnostic(name, err))
			continue
		}
		if total += len(src); total > MaxDirBytes {
			diags.Add(tooLarge(dir))
			break
		}
		files[name] = src
	}
	return files
}
