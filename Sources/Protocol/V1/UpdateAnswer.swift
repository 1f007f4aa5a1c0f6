import PDDocument
import PDSecrets

extension V1 {
    /// One file of a patch, as an `update` answer carries it.
    public struct PatchFile: Sendable, Equatable {
        /// Where it goes, relative to the agent's files.
        public let path: String
        /// Its permission bits; 0 takes the file away.
        public let mode: Int
        /// What it holds.
        public let content: [UInt8]

        /// A file to send.
        public init(path: String, mode: Int, content: [UInt8]) {
            self.path = path
            self.mode = mode
            self.content = content
        }
    }

    /// A patch that waits for the host that asked.
    public struct PendingPatch: Sendable, Equatable {
        /// 24 hexadecimal digits.
        public let id: String
        /// What it puts where.
        public let files: [PatchFile]

        /// A patch to send.
        public init(id: String, files: [PatchFile]) {
            self.id = id
            self.files = files
        }
    }

    /// The answer to an `update` request. Its JSON is written with the spaces of version 1 servers.
    public struct UpdateAnswer: Sendable, Equatable {
        /// The newest release, where the host runs an older one.
        public let currentRelease: Int64?
        /// What waits for the host, the oldest first.
        public let patches: [PendingPatch]

        /// An answer to send.
        public init(currentRelease: Int64?, patches: [PendingPatch]) {
            self.currentRelease = currentRelease
            self.patches = patches
        }

        /// The JSON text in two parts. Where a release is offered, its quoted message (see ``quoted(message:)``) belongs
        /// between them: it is large and the same for all hosts, so it is not copied for each.
        public func json() -> (beforeMessage: [UInt8], afterMessage: [UInt8]) {
            var after: [UInt8] = []
            for (index, patch) in patches.enumerated() {
                after += (index == 0 ? ", \"patches\": [" : ", ").utf8
                after += "{\"id\": \(Value.string(patch.id).json()), \"files\": [".utf8
                for (index, file) in patch.files.enumerated() {
                    after += "\(index == 0 ? "" : ", "){\"path\": \(Value.string(file.path).json()), ".utf8
                    after += "\"mode\": \(file.mode), \"content\": \"".utf8
                    after += BaseN.base64.encode(file.content)
                    after += "\"}".utf8
                }
                after += "]}".utf8
            }
            if !patches.isEmpty { after += "]".utf8 }
            after += "}".utf8
            guard let currentRelease else { return (Array("{\"status\": \"current\"".utf8), after) }
            let before = "{\"status\": \"out-of-date\", \"current_release\": \(currentRelease), \"update\": "
            return (Array(before.utf8), after)
        }

        /// An ASCII-armored message as a JSON string; nothing where it holds what armor never does.
        public static func quoted(message: [UInt8]) -> [UInt8]? {
            var text: [UInt8] = [UInt8(ascii: "\"")]
            text.reserveCapacity(message.count + message.count / 32 + 2)
            for byte in message {
                switch byte {
                case UInt8(ascii: "\n"): text += "\\n".utf8
                case UInt8(ascii: "\r"): text += "\\r".utf8
                case UInt8(ascii: "\t"): text += "\\t".utf8
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
                case 0x20...0x7E: text.append(byte)
                default: return nil
                }
            }
            text.append(UInt8(ascii: "\""))
            return text
        }
    }
}
