package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A process is a program that runs, with its output in a file.
type process struct {
	name string
	path string
	args []string
	log  string        // file
	cmd  *exec.Cmd     // nil before its start
	done chan struct{} // closed when it has ended
}

func (s *stage) program(name, file string, args ...string) *process {
	return &process{name: name, path: file, args: args, log: filepath.Join(s.dir, name+".log")}
}

// start runs it, again if it ran before; its log goes on.
func (p *process) start() error {
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	defer f.Close()
	p.cmd, p.done = exec.Command(p.path, p.args...), make(chan struct{})
	p.cmd.Stdout, p.cmd.Stderr = f, f
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	go func() { defer close(p.done); _ = p.cmd.Wait() }()
	return nil
}

// stop ends it as a user would, or by force.
func (p *process) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		p.kill()
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// tail is the end of what it wrote.
func (p *process) tail() string {
	b, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// free are addresses of this machine where nobody listens.
func free(n int) (addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer l.Close() // after the last is chosen, so that all differ
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
