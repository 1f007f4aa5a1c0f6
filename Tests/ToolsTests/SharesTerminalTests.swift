import Foundation
import PDSecrets
import PDShamir
import Testing

@testable import PDShareFiles

/// pd-shares with a pseudo-terminal for its controlling terminal.
@Suite("pd-shares on a terminal")
struct SharesTerminalTests {
    private let tool: SharesToolRunner

    init() throws {
        tool = try SharesToolRunner()
        try tool.write("key.asc", "the secret\n")
    }

    /// A run of the tool, and the other end of its terminal.
    private struct Session {
        let process: Process
        let terminal: Int32

        var echoes: Bool {
            var settings = termios()
            return tcgetattr(terminal, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
        }

        func type(_ text: String) {
            _ = text.withCString { write(terminal, $0, strlen($0)) }
        }

        /// What the terminal shows, up to `text`.
        func read(until text: String) throws -> String {
            var shown = ""
            for _ in 0..<300 where !shown.contains(text) {
                var ready = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
                guard poll(&ready, 1, 100) > 0 else { continue }
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = Glibc.read(terminal, &buffer, buffer.count)
                guard count > 0 else { break }
                shown += String(decoding: buffer[..<count], as: UTF8.self)
            }
            try #require(shown.contains(text), "\(shown)")
            return shown
        }

        func waitForEcho(_ wanted: Bool) throws {
            for _ in 0..<100 where echoes != wanted { usleep(50_000) }
            try #require(echoes == wanted)
        }

        /// The status of the process; 128 and the signal's number where one ended it.
        func status() -> Int32 {
            for _ in 0..<600 where process.isRunning { usleep(50_000) }
            if process.isRunning {
                Issue.record("the tool does not end")
                if let child = try? SharesTerminalTests.firstChild(of: process.processIdentifier) {
                    kill(child, SIGKILL)
                }
                kill(process.processIdentifier, SIGKILL)
            }
            process.waitUntilExit()
            return process.terminationReason == .exit
                ? process.terminationStatus : 128 + process.terminationStatus
        }
    }

    /// Starts the tool in a session of its own. The shell stays for the terminal to have an owner. On a terminal Swift's
    /// runtime takes SIGQUIT for a crash, and its report of one takes longer than this waits.
    ///
    /// - Parameter reader: a shell's commands that follow the tool, on the same terminal.
    private func start(
        _ arguments: String, program: URL = SharesToolRunner.executable, reader: String? = nil
    ) throws -> (Session, close: () -> Void) {
        var (ours, theirs): (Int32, Int32) = (0, 0)
        try #require(openpty(&ours, &theirs, nil, nil, nil) == 0)
        let handle = FileHandle(fileDescriptor: theirs, closeOnDealloc: false)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/setsid")
        process.arguments = [
            "--ctty", "--wait", "/bin/sh", "-c",
            "SWIFT_BACKTRACE=enable=no "
                + (reader.map { "\(program.path) \(arguments); \($0)" } ?? "exec \(program.path) \(arguments)"),
        ]
        process.currentDirectoryURL = tool.directory
        process.standardInput = handle
        process.standardOutput = handle
        process.standardError = handle
        // Threads of the test runner hold signals back, which a program that they start would do too.
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        return (
            Session(process: process, terminal: ours),
            {
                close(ours)
                close(theirs)
            }
        )
    }

    @Test func p102_aPassphraseIsNotShownWhileItIsTypedAndTheEchoComesBack() throws {
        let (session, close) = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        defer { close() }
        var shown = ""
        for question in ["share 1 of 2: ", "again: ", "share 2 of 2: ", "again: "] {
            shown += try session.read(until: question)
            try session.waitForEcho(false)
            session.type("hunter2hunter2\n")
        }
        shown += try session.read(until: "was not touched")
        #expect(session.status() == 0)
        #expect(session.echoes)
        #expect(!shown.contains("hunter2"))
        let combined = try tool.run(
            ["combine", "out", "--out", "-", "--passphrase-fd", "0"],
            input: Data("hunter2hunter2\nhunter2hunter2\n".utf8))
        #expect(combined.text == "the secret\n")
    }

    /// Typed on the terminal, or sent by another process.
    @Test(arguments: [("\u{03}", SIGINT), ("\u{1c}", SIGQUIT), ("", SIGTERM), ("", SIGHUP)])
    func p102_aSignalEndsTheQuestionAtOnceAndTheEchoComesBack(_ how: (key: String, signal: Int32)) throws {
        let (session, close) = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        defer { close() }
        _ = try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        if how.key.isEmpty {
            let child = try Self.firstChild(of: session.process.processIdentifier)
            kill(child, how.signal)
        } else {
            session.type(how.key)
        }
        // setsid answers with the number of the signal that ended its child, or with 128 and it.
        #expect([how.signal, 128 + how.signal].contains(session.status()))
        #expect(session.echoes)
        #expect(try tool.names("out").isEmpty)
    }

    @Test func p102_aSignalEndsTheQuestionAlsoAfterCtrlDWithinALine() throws {
        let (session, close) = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        defer { close() }
        _ = try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        session.type("half a\u{04}")
        usleep(300_000)
        session.type("\u{03}")
        #expect([SIGINT, 128 + SIGINT].contains(session.status()))
        #expect(session.echoes)
    }

    @Test func p102_afterAStopTheQuestionComesAgain() throws {
        let (session, close) = try start(
            "split key.asc --threshold 2 --shares 2 --out out --passphrase")
        defer { close() }
        _ = try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        let child = try Self.firstChild(of: session.process.processIdentifier)
        // It does not stop a process whose parent is in another session, but is delivered like any other.
        kill(child, SIGTSTP)
        _ = try session.read(until: "share 1 of 2: ")
        try session.waitForEcho(false)
        session.type("\u{03}")
        #expect([SIGINT, 128 + SIGINT].contains(session.status()))
        #expect(session.echoes)
    }

    // MARK: - Typed shares

    /// Writes what the tool left in the terminal's input, which a shell would run, to the file `left`.
    private static let shell = "code=$?; stty -icanon min 0 time 7; cat >left; exit $code"

    private func split(_ out: String = "out", shares: Int = 5, label: String? = nil) throws -> [String] {
        let made = try tool.run(
            ["split", "key.asc", "--threshold", "3", "--shares", "\(shares)", "--out", out]
                + (label.map { ["--label", $0] } ?? []))
        try #require(made.status == 0, "\(made.errors)")
        return try (1...shares).map { try tool.text("\(out)/key.asc.\($0)-of-\(shares).share.txt") }
    }

    @Test func p102_aPasteOfMoreSharesThanAreNeededIsReadToItsEnd() throws {
        let shares = try split()
        let (session, close) = try start("combine - --out restored", reader: Self.shell)
        defer { close() }
        _ = try session.read(until: "> ")
        // With empty lines between them, as people paste.
        session.type(shares[..<4].joined(separator: "\n\n"))
        let shown = try session.read(until: "typed share 4: share 4 of 5: enough")
        #expect(shown.contains("typed share 2: share 2 of 5: 1 more needed"))
        #expect(!tool.exists("restored"), "nobody said that it is enough")
        session.type("\n")
        #expect(session.status() == 0)
        #expect(try tool.text("restored") == "the secret\n")
        #expect(try tool.text("left") == "")
    }

    @Test func p06_aTypedShareBeyondTheThresholdTellsWhichOneWasForged() throws {
        let shares = try split()
        let set = try Data(shares[0].utf8).withUnsafeBytes { try Share(parsing: $0) }.set
        let cryptography = try CoreCryptography()
        let forged = try set.split(
            SecretBytes(count: 11), randomness: cryptography.randomness(), cryptography: cryptography)
        let lines = forged[0].encoded().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        let (session, close) = try start("verify -", reader: Self.shell)
        defer { close() }
        _ = try session.read(until: "> ")
        session.type(lines + shares[1] + shares[2])
        _ = try session.read(until: "enough. Give another share to check these against")
        session.type(shares[3])
        _ = try session.read(until: "typed share 4: share 4 of 5: enough")
        session.type("\u{04}")
        _ = try session.read(until: "typed share 1: share 1 of 5 does not fit the other shares")
        #expect(session.status() == 1)
    }

    /// How the tool ends while it takes shares.
    enum Ending: CaseIterable {
        case ctrlD
        case error
        case signal
    }

    @Test(arguments: Ending.allCases)
    func p102_whatIsLeftOfAPasteDoesNotReachTheShell(_ ending: Ending) throws {
        let share = try split()[0]
        let (session, close) = try start("combine - --out restored", reader: Self.shell)
        defer { close() }
        _ = try session.read(until: "> ")
        session.type(share)
        _ = try session.read(until: "2 more needed")
        switch ending {
        case .ctrlD:
            session.type("\u{04}")
            _ = try session.read(until: "Nothing is lost")
            session.type("\u{04}")
        case .error:
            // A line that is too long, which a terminal gives in two parts.
            let part = String(repeating: "x", count: 2500)
            session.type(part + "\u{04}")
            usleep(300_000)
            session.type(part + "\n")
        case .signal:
            let shell = try Self.firstChild(of: session.process.processIdentifier)
            kill(try Self.firstChild(of: shell), SIGTERM)
        }
        for _ in 0..<3 {
            session.type("touch PWNED\nSet: one more line #1234\n")
            usleep(30_000)
        }
        #expect(session.status() == (ending == .signal ? 128 + SIGTERM : 1))
        #expect(try tool.text("left") == "")
        #expect(!tool.exists("restored"))
    }

    @Test func aTypedShareOfAnotherSetDoesNotShutOutTheRightOnes() throws {
        let shares = try split()
        let others = try split("other", label: "another key")
        let (session, close) = try start("combine - --out restored", reader: Self.shell)
        defer { close() }
        _ = try session.read(until: "> ")
        session.type(others[0])
        _ = try session.read(until: "typed share 1: share 1 of 5: 2 more needed")
        session.type(shares[0] + shares[1])
        let shown = try session.read(until: "typed share 3: share 2 of 5, ")
        #expect(shown.contains("\"key.asc\" of "))
        session.type(shares[2])
        _ = try session.read(until: ": enough")
        session.type("\n")
        _ = try session.read(until: "is of another set, \"another key\" of")
        #expect(session.status() == 0)
        #expect(try tool.text("restored") == "the secret\n")
    }

    @Test func whereNoTypedSetIsCompleteEachIsCounted() throws {
        let shares = try split()
        let others = try split("other", label: "another key")
        let (session, close) = try start("combine - --out restored", reader: Self.shell)
        defer { close() }
        _ = try session.read(until: "> ")
        session.type(others[0] + shares[0] + shares[1])
        _ = try session.read(until: "typed share 3: ")
        session.type("\u{04}")
        _ = try session.read(until: "Nothing is lost")
        session.type("\u{04}")
        let shown = try session.read(until: "2 of 3 for \"key.asc\" of ")
        #expect(shown.contains("given up: "))
        #expect(shown.contains("not enough shares of any set: 1 of 3 for \"another key\" of "))
        #expect(session.status() == 1)
    }

    /// What a password of the server is asked for with.
    private func startAdmin() throws -> (Session, close: () -> Void) {
        let programs = SharesToolRunner.executable.deletingLastPathComponent()
        let made = try tool.run(
            ["setup", "--yes", "--state", "server"], program: programs.appending(path: "pd-server").path)
        try #require(made.status == 0, "\(made.errors)")
        return try start(
            "passwords set fred --state server", program: programs.appending(path: "pd-admin"))
    }

    @Test(
        "p102 a signal ends the question for a password, and the echo comes back",
        arguments: [("\u{03}", SIGINT), ("\u{1c}", SIGQUIT), ("", SIGTERM), ("", SIGHUP)])
    func p102_adminSignal(_ how: (key: String, signal: Int32)) throws {
        let (session, close) = try startAdmin()
        defer { close() }
        _ = try session.read(until: "New password for fred: ")
        try session.waitForEcho(false)
        if how.key.isEmpty {
            kill(try Self.firstChild(of: session.process.processIdentifier), how.signal)
        } else {
            session.type("half a" + how.key)
        }
        #expect([how.signal, 128 + how.signal].contains(session.status()))
        #expect(session.echoes)
        #expect(try !tool.text("server/server.yml").contains("fred"))
    }

    @Test("after a stop the question for a password comes again, and can be answered")
    func adminStop() throws {
        let (session, close) = try startAdmin()
        defer { close() }
        _ = try session.read(until: "New password for fred: ")
        try session.waitForEcho(false)
        kill(try Self.firstChild(of: session.process.processIdentifier), SIGTSTP)
        _ = try session.read(until: "New password for fred: ")
        try session.waitForEcho(false)
        session.type("open sesame\n")
        _ = try session.read(until: "again: ")
        try session.waitForEcho(false)
        session.type("open sesame\n")
        #expect(session.status() == 0)
        #expect(session.echoes)
        #expect(try tool.text("server/server.yml").contains("fred"))
    }

    /// The process that `setsid` started; `setsid` itself where it started none.
    private static func firstChild(of parent: Int32) throws -> Int32 {
        let file = URL(filePath: "/proc/\(parent)/task/\(parent)/children")
        let children = try String(contentsOf: file, encoding: .utf8)
        return children.split(separator: " ").first.flatMap { Int32($0) } ?? parent
    }
}
