//go:build unix

package standalone

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Lock claims a data folder for this process: two brokers on one store would
// destroy it. The kernel gives the lock back if the process dies.
func Lock(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking the data folder: another process uses %s; stop it, or choose another folder with --data", dir)
	}
	return func() { _ = f.Close() }, nil
}
