package trial

import (
	"os/exec"
	"syscall"
)

// mortal has the kernel end the program when the trial is gone without having
// ended it, killed for instance.
func mortal(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
