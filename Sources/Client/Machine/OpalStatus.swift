import CLinux
import Glibc

/// What a disk says of encrypting by itself (TCG Opal).
public enum OpalStatus: Sendable {
    /// Only root may ask.
    case unknown
    /// It does not, or nobody has switched it on.
    case off
    /// It locks a part of itself at least.
    case locking

    /// Asks the kernel, since Linux 6.1. A kernel or disk that does not know the question locks nothing that it knows of.
    @Sendable static func of(_ path: String) -> OpalStatus {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return .unknown }
        defer { close(descriptor) }
        var status = pd_opal_status()
        guard pd_opal_status(descriptor, &status) == 0 else { return .off }
        return status.flags & UInt32(PD_OPAL_LOCKING_ENABLED) != 0 ? .locking : .off
    }
}
