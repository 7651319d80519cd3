package trial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A slow disk takes no privilege: nats-server is built with an os package whose Sync,
// and whose opening of files that sync with each write, wait first as long as a file
// says. All of the server's waiting for its disk goes through these two; its writes
// go to the kernel's memory, as they do elsewhere. The rest of the server is as it is.
const slowEnv = "TRIAL_SLOW_DISK" // the file; milliseconds

const waitForDisk = `
func waitForDisk() {
	text, err := ReadFile(Getenv("` + slowEnv + `"))
	if err != nil {
		return
	}
	ms := 0
	for _, c := range text {
		ms = 10*ms + int(c-'0')
	}
	time.Sleep(time.Duration(ms) * time.Millisecond)
}
`

// slowed is what the standard library is built with.
func slowed(ctx context.Context) ([]Breakage, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("finding the standard library: %w", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "src", "os")
	const sync, open = "func (f *File) Sync() error {\n", "func OpenFile(name string, flag int, perm FileMode) (*File, error) {\n"
	return []Breakage{
		{filepath.Join(dir, "file_posix.go"), sync, waitForDisk + "\n" + sync + "\twaitForDisk()\n"},
		{filepath.Join(dir, "file.go"), open, open + "\tif flag&O_SYNC != 0 {\n\t\twaitForDisk()\n\t}\n"},
	}, nil
}

// slowDisk has each sync of a broker take so much longer; 0 is as it is.
func (b *broker) slowDisk(d time.Duration) error {
	if d == 0 {
		return os.RemoveAll(b.slow)
	}
	return replace(b.slow, fmt.Sprint(d.Milliseconds()))
}

// replace writes a file so that nobody ever reads half of it.
func replace(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
