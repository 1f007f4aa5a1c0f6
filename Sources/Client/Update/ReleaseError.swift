import PDDocument
import PDFiles
import PDProtocol

/// Why a release is not installed. Whatever it is, the release in use stays in use.
public enum ReleaseError: Error, Sendable, CustomStringConvertible {
    /// It is not signed as it must be, or what is signed is no manifest.
    case statement(SignedStatement.Failure)
    /// It is for other software, another channel or another architecture.
    case notForUs(what: String, has: String, wanted: String)
    /// Nobody should install it any more; the text is the time.
    case expired(Int, String)
    /// It is older than one that was accepted before.
    case rollback(offered: Int, highest: Int)
    /// A release of that number was accepted before, and it was another one.
    case otherContent(Int)
    /// It may not replace a release as old as the one in use.
    case tooBigAStep(Int, minimum: Int, current: Int)
    /// Another release than the one that the person at the machine asked for.
    case notTheOneAsked(Int, offered: Int)
    /// It was tried before and did not work.
    case failedBefore(Int, reason: String)
    /// It did not work, and the one before is in use again.
    case failed(Int, reason: String, previous: Int)
    /// The archive is not the one of the manifest.
    case archive(ArchiveError)
    /// It holds a secret key; the text says where, and of what form.
    case secretKey(Int, String)
    /// It could not be got.
    case notReached(String)
    /// The server refused to hand it out.
    case refused(String)
    /// There is no release where one was looked for.
    case nothing(String)
    /// A file that remembers what was accepted cannot be read.
    case damaged(String)
    /// Another process installs a release.
    case busy(String)
    /// A file or directory.
    case file(FileError)

    /// The exit code of the command: 1 failed or refused by us, 3 not reached, 4 refused by the server.
    public var exitCode: Int32 {
        switch self {
        case .notReached: 3
        case .refused: 4
        default: 1
        }
    }

    /// What was wrong, where, and what to do.
    public var description: String {
        switch self {
        case .statement(let failure): "the release is refused: \(failure)"
        case .notForUs(let what, let has, let wanted):
            "the release is refused: its \(what) is \(has), and this machine's \(wanted)"
        case .expired(let number, let time): "release \(number) is refused: it expired \(time)"
        case .rollback(let offered, let highest):
            "release \(offered) is refused: release \(highest) was accepted before; "
                + "to go back, run pd-agent update --allow-downgrade \(offered) on this machine"
        case .otherContent(let number):
            "release \(number) is refused: another release of that number was accepted before"
        case .tooBigAStep(let number, let minimum, let current):
            "release \(number) is refused: it replaces releases from \(minimum) on, and \(current) is in use"
        case .notTheOneAsked(let number, let offered):
            "release \(number) is not there: the one offered is \(offered)"
        case .failedBefore(let number, let reason):
            "release \(number) is refused: it was tried before and did not work: \(reason)"
        case .failed(let number, let reason, let previous):
            "release \(number) does not work: \(reason); "
                + (previous == 0 ? "no release is in use, as before" : "release \(previous) is in use again")
        case .archive(let error): "the release is refused: \(error)"
        case .secretKey(let number, let place):
            "release \(number) is refused: \(place); whoever made it must build another one, and replace that key"
        case .notReached(let reason): "the server is not reached: \(reason)"
        case .refused(let reason): "the server refuses: \(reason)"
        case .nothing(let place): "there is no release in \(place)"
        case .damaged(let file):
            "\(file) is damaged, so that nobody knows which releases are old: remove it to trust the next one"
        case .busy(let path): "another pd-agent installs a release in \(path): try again when it is done"
        case .file(let error): "\(error)"
        }
    }
}
