package trial

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A process is one program that runs, may be killed, and may be started again.
type process struct {
	name string
	bin  string
	args []string
	env  []string
	log  string // file that all its lives write to

	mu   sync.Mutex
	cmd  *exec.Cmd
	gone chan struct{}
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(p.bin, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = out, out
	mortal(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.cmd, p.gone = cmd, make(chan struct{})
	go func(gone chan struct{}) { _ = cmd.Wait(); close(gone) }(p.gone)
	return nil
}

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

// kill is kill -9; it works on a process that is stopped, too.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	p.wait(0)
}

// terminate is SIGTERM, and kill -9 if that takes longer than most.
func (p *process) terminate(most time.Duration) error {
	p.signal(syscall.SIGTERM)
	if !p.wait(most) {
		p.kill()
		return errors.New(p.name + " has not ended " + most.String() + " after SIGTERM")
	}
	return nil
}

// wait reports whether the process is gone within most; 0 is however long it takes.
func (p *process) wait(most time.Duration) bool {
	p.mu.Lock()
	gone := p.gone
	p.mu.Unlock()
	if gone == nil {
		return true
	}
	var over <-chan time.Time
	if most > 0 {
		over = time.After(most)
	}
	select {
	case <-gone:
		return true
	case <-over:
		return false
	}
}

// tail is the end of what the process wrote.
func (p *process) tail() string { return p.since(p.size() - 3000) }

// size is how much it has written, in all its lives.
func (p *process) size() int64 {
	info, err := os.Stat(p.log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// since is what it has written from there on.
func (p *process) since(at int64) string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(data[min(max(at, 0), int64(len(data))):])
}
