import Foundation

/// The checks of a fleet and the calendars that they count by.
package struct CheckSet: Sendable, Equatable {
    /// In the order of the file, each with a name of its own.
    package let checks: [Check]
    /// By name.
    package let calendars: [String: WorkingCalendar]

    package init(checks: [Check], calendars: [String: WorkingCalendar] = [:]) {
        self.checks = checks
        self.calendars = calendars
    }

    /// The check of that name, or nothing.
    package subscript(name: String) -> Check? { checks.first { $0.name == name } }
}
