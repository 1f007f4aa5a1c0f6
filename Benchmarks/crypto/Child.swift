import Glibc

/// Another program, silent, with as little around it as possible.
enum Child {
    struct Failure: Error {
        var arguments: [String]
        var status: Int32
    }

    static func run(_ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process = pid_t()
        var status = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
        if status == 0 { waitpid(process, &status, 0) }
        guard status == 0 else { throw Failure(arguments: arguments, status: status) }
    }
}
