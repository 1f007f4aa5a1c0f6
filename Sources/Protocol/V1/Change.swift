import PDDocument

extension V1 {
    /// One entry of the audit trail: a field of a host that is no longer what it was.
    ///
    /// A list counts as one field, however many of its elements differ.
    public struct Change: Sendable, Equatable {
        /// What happened to the field.
        public enum Kind: String, Sendable, CaseIterable {
            /// It was not there before.
            case added = "add"
            /// It is gone.
            case deleted = "delete"
            /// It has another value, perhaps of another type.
            case changed = "change"
        }

        /// Which field: names joined by dots.
        public let key: String
        /// What happened to it.
        public let kind: Kind
        /// What was there; nothing where the field was added.
        public let old: Value?
        /// What is there; nothing where the field was deleted.
        public let new: Value?

        /// A change as it was found or read back.
        public init(key: String, kind: Kind, old: Value?, new: Value?) {
            self.key = key
            self.kind = kind
            self.old = old
            self.new = new
        }
    }

    /// One difference between two documents, down to the element of a list: a line of the log.
    public struct Difference: Sendable, Equatable {
        /// What kind of difference.
        public enum Kind: String, Sendable, CaseIterable {
            /// A field that was not there.
            case added
            /// A field that is gone.
            case deleted
            /// Another value of the same type.
            case changed
            /// A value of another type.
            case typeChanged = "type change"
            /// A list with more or fewer elements.
            case lengthChanged = "length change"
        }

        /// Where: names joined by dots, places in lists as `name[2]`; `name[]` where the list has another length.
        public let path: String
        /// What kind of difference.
        public let kind: Kind

        /// A difference that was found.
        public init(path: String, kind: Kind) {
            self.path = path
            self.kind = kind
        }
    }
}
