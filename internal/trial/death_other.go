//go:build !linux

package trial

import "os/exec"

func mortal(*exec.Cmd) {}
