//! The driver calls that are made, with their errors as values.
//!
//! Below `ocl`'s own wrappers: those panic on error codes that only a vendor knows, and when something
//! is released after its device was lost.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ff_backend::{BackendError, Result};
use ocl::core::DeviceId;
use ocl::core::ffi;

use crate::codes::{check, check_waiting, name_of};
use crate::profile::Profile;

/// Launches between two marks in the queue. At each the queue is flushed, which keeps the device busy.
const LAUNCHES_PER_MARK: usize = 16;
/// Marks that the device may still have before it: the host is at most as many times [`LAUNCHES_PER_MARK`] launches
/// ahead, about four training steps, so that progress is what the device has done.
const MARKS_AHEAD: usize = 3;

macro_rules! owned {
    ($(#[$about:meta])* $name:ident, $raw:ty, $release:path) => {
        $(#[$about])*
        pub(crate) struct $name($raw);

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: made by its create call, released once. A failure has no remedy here.
                unsafe { $release(self.0) };
            }
        }
    };
}

owned!(
    /// A context of one device.
    Context, ffi::cl_context, ffi::clReleaseContext
);
owned!(
    /// A program.
    Program, ffi::cl_program, ffi::clReleaseProgram
);
owned!(
    /// A command that the device has been given.
    Event, ffi::cl_event, ffi::clReleaseEvent
);

impl Context {
    pub(crate) fn new(device: DeviceId) -> Result<Self> {
        let (raw, mut code) = (device.as_raw(), 0);
        // SAFETY: one live device id, no properties, no callback.
        let context = unsafe { ffi::clCreateContext(null(), 1, &raw, None, null_mut(), &mut code) };
        check(code, "clCreateContext").map(|()| Context(context))
    }

    /// Memory of `bytes` > 0 bytes, or the driver's error code. Its contents are undefined.
    pub(crate) fn memory(&self, bytes: usize) -> std::result::Result<Memory, i32> {
        let mut code = 0;
        // SAFETY: a live context; the memory is the device's own.
        let memory =
            unsafe { ffi::clCreateBuffer(self.0, ffi::CL_MEM_READ_WRITE, bytes, null_mut(), &mut code) };
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let id = COUNT.fetch_add(1, Ordering::Relaxed);
        if code == ffi::CL_SUCCESS { Ok(Memory { raw: memory, bytes, id }) } else { Err(code) }
    }

    pub(crate) fn program(&self, source: &str) -> Result<Program> {
        let (text, length, mut code) = (source.as_ptr().cast(), source.len(), 0);
        // SAFETY: one string with its length; the driver copies it.
        let program = unsafe { ffi::clCreateProgramWithSource(self.0, 1, &text, &length, &mut code) };
        check(code, "clCreateProgramWithSource").map(|()| Program(program))
    }
}

impl Program {
    /// Compiles; the error code, if it fails.
    pub(crate) fn build(&self, device: DeviceId, options: &str) -> std::result::Result<(), i32> {
        let Ok(options) = CString::new(options) else { return Err(ffi::CL_INVALID_BUILD_OPTIONS) };
        let raw = device.as_raw();
        // SAFETY: live program and device, options end with NUL, no callback: the call waits.
        let code = unsafe { ffi::clBuildProgram(self.0, 1, &raw, options.as_ptr(), None, null_mut()) };
        if code == ffi::CL_SUCCESS { Ok(()) } else { Err(code) }
    }

    /// What the compiler said.
    pub(crate) fn log(&self, device: DeviceId) -> String {
        let (raw, key, mut size) = (device.as_raw(), ffi::CL_PROGRAM_BUILD_LOG, 0);
        // SAFETY: asks for the size first, then for as many bytes.
        let text = unsafe {
            ffi::clGetProgramBuildInfo(self.0, raw, key, 0, null_mut(), &mut size);
            let mut text = vec![0u8; size];
            ffi::clGetProgramBuildInfo(self.0, raw, key, size, text.as_mut_ptr().cast(), null_mut());
            text
        };
        String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned()
    }

    /// What the compiler made for the program's one device: PTX on NVIDIA. Empty where the driver does not tell.
    pub(crate) fn binary(&self) -> Vec<u8> {
        let (mut size, width) = (0usize, size_of::<usize>());
        let key = ffi::CL_PROGRAM_BINARY_SIZES;
        // SAFETY: one device, so one size.
        let code = unsafe {
            ffi::clGetProgramInfo(self.0, key, width, std::ptr::from_mut(&mut size).cast(), null_mut())
        };
        if code != ffi::CL_SUCCESS {
            return Vec::new();
        }
        let mut bytes = vec![0u8; size];
        let mut to = bytes.as_mut_ptr();
        let (key, width) = (ffi::CL_PROGRAM_BINARIES, size_of::<*mut u8>());
        // SAFETY: one pointer to as many bytes as the driver asked for.
        let code = unsafe {
            ffi::clGetProgramInfo(self.0, key, width, std::ptr::from_mut(&mut to).cast(), null_mut())
        };
        if code == ffi::CL_SUCCESS { bytes } else { Vec::new() }
    }

    pub(crate) fn kernel(&self, name: &str) -> Result<Kernel> {
        let Ok(c_name) = CString::new(name) else {
            return Err(BackendError::Driver { operation: "clCreateKernel", message: name.into() });
        };
        let mut code = 0;
        // SAFETY: a built program and a name that ends with NUL.
        let kernel = unsafe { ffi::clCreateKernel(self.0, c_name.as_ptr(), &mut code) };
        match check(code, "clCreateKernel") {
            Ok(()) => Ok(Kernel { raw: kernel, name: name.into(), set: RefCell::default() }),
            Err(_) => Err(BackendError::Driver {
                operation: "clCreateKernel",
                message: format!("{name}: {}", name_of(code)),
            }),
        }
    }
}

/// Memory on the device.
pub(crate) struct Memory {
    raw: ffi::cl_mem,
    bytes: usize,
    /// Its own in the process. Handles are used again after a release.
    id: u64,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by clCreateBuffer, released once. A failure has no remedy here.
        unsafe { ffi::clReleaseMemObject(self.raw) };
    }
}

impl Memory {
    pub(crate) fn arg(&self) -> Arg {
        Arg::Memory(self.raw, self.id)
    }

    fn holds(&self, bytes: usize, operation: &'static str) -> Result<()> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let message = format!("{bytes} bytes are beyond a buffer of {}", self.bytes);
        Err(BackendError::Driver { operation, message })
    }
}

/// Types that are their bytes: every pattern is a value.
pub(crate) trait Plain: Copy + Default {}
impl Plain for u8 {}
impl Plain for u32 {}
impl Plain for f32 {}

/// One argument of a launch. Floats are their bits, so that equal arguments are the same.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Arg {
    /// Memory on the device, with its id.
    Memory(ffi::cl_mem, u64),
    /// `int`.
    Int(i32),
    /// `uint`.
    Uint(u32),
    /// `float`.
    Float(u32),
    /// `float16`.
    Float16([u32; 16]),
}

/// A kernel, with the arguments that its last launch left in it.
pub(crate) struct Kernel {
    raw: ffi::cl_kernel,
    name: Rc<str>,
    set: RefCell<Vec<Option<Arg>>>,
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // SAFETY: made by clCreateKernel, released once. A failure has no remedy here.
        unsafe { ffi::clReleaseKernel(self.raw) };
    }
}

impl Kernel {
    /// Most work-items of a work-group that the compiled kernel can have; None where the driver does not say.
    pub(crate) fn largest_group(&self, device: DeviceId) -> Option<usize> {
        let (mut largest, size) = (0usize, size_of::<usize>());
        let to = std::ptr::from_mut(&mut largest).cast();
        let key = ffi::CL_KERNEL_WORK_GROUP_SIZE;
        // SAFETY: live kernel and device; `to` holds a size_t.
        let code =
            unsafe { ffi::clGetKernelWorkGroupInfo(self.raw, device.as_raw(), key, size, to, null_mut()) };
        (code == ffi::CL_SUCCESS && largest > 0).then_some(largest)
    }

    /// Sets the arguments that differ from those of the launch before; how many.
    ///
    /// # Safety
    /// The arguments must have the types of the kernel's parameters, in order.
    unsafe fn set(&self, args: &[Arg]) -> Result<usize> {
        fn bytes<T>(value: &T) -> (usize, *const c_void) {
            (size_of::<T>(), std::ptr::from_ref(value).cast())
        }
        let mut set = self.set.borrow_mut();
        set.resize(args.len(), None);
        let mut count = 0;
        for (index, (arg, held)) in args.iter().zip(set.iter_mut()).enumerate() {
            if *held == Some(*arg) {
                continue;
            }
            let (size, value) = match arg {
                Arg::Memory(x, _) => bytes(x),
                Arg::Int(x) => bytes(x),
                Arg::Uint(x) | Arg::Float(x) => bytes(x),
                Arg::Float16(x) => bytes(x),
            };
            *held = None;
            // SAFETY: `value` holds `size` bytes, which the driver copies; the type is the caller's promise.
            check(unsafe { ffi::clSetKernelArg(self.raw, index as u32, size, value) }, "clSetKernelArg")?;
            *held = Some(*arg);
            count += 1;
        }
        Ok(count)
    }
}

impl Event {
    /// Nanoseconds that the device spent on a command that has ended; None where the driver does not say.
    pub(crate) fn nanoseconds(&self) -> Option<u64> {
        let at = |key| {
            let (mut time, size) = (0u64, size_of::<u64>());
            let to = std::ptr::from_mut(&mut time).cast();
            // SAFETY: a live event; `to` holds a cl_ulong.
            let code = unsafe { ffi::clGetEventProfilingInfo(self.0, key, size, to, null_mut()) };
            (code == ffi::CL_SUCCESS).then_some(time)
        };
        at(ffi::CL_PROFILING_COMMAND_END)?.checked_sub(at(ffi::CL_PROFILING_COMMAND_START)?)
    }

    /// Whether the command has ended, or how it failed.
    fn ended(&self) -> std::result::Result<bool, i32> {
        let (mut status, size) = (0i32, size_of::<i32>());
        let key = ffi::CL_EVENT_COMMAND_EXECUTION_STATUS;
        let to = std::ptr::from_mut(&mut status).cast();
        // SAFETY: a live event; `to` holds a cl_int.
        let code = unsafe { ffi::clGetEventInfo(self.0, key, size, to, null_mut()) };
        match (code, status) {
            (ffi::CL_SUCCESS, ffi::CL_COMPLETE) => Ok(true),
            (ffi::CL_SUCCESS, 0..) => Ok(false),
            (ffi::CL_SUCCESS, failure) => Err(failure),
            (failure, _) => Err(failure),
        }
    }

    /// Waits until the command has ended. Sleeps an eighth of the time that it has waited: drivers' own waits keep a
    /// core busy.
    fn wait(&self) -> std::result::Result<(), i32> {
        let began = Instant::now();
        while !self.ended()? {
            let waited = began.elapsed();
            if waited < Duration::from_micros(50) {
                std::thread::yield_now();
            } else {
                std::thread::sleep((waited / 8).min(Duration::from_millis(1)));
            }
        }
        Ok(())
    }
}

/// An in-order queue. The host waits when it is too far ahead of the device.
pub(crate) struct Queue {
    raw: ffi::cl_command_queue,
    launches: Cell<usize>,
    arguments: Cell<usize>,
    marks: RefCell<VecDeque<Rc<Event>>>,
    profile: Option<Profile>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        if let Some(profile) = &self.profile {
            // Every event has ended then.
            let _ = self.finish();
            profile.write();
        }
        // SAFETY: made by clCreateCommandQueue, released once. A failure has no remedy here.
        unsafe { ffi::clReleaseCommandQueue(self.raw) };
    }
}

impl Queue {
    pub(crate) fn new(context: &Context, device: DeviceId) -> Result<Rc<Self>> {
        let (profile, mut code) = (Profile::asked_for(), 0);
        // In order, in both cases.
        let properties = if profile.is_some() { ffi::CL_QUEUE_PROFILING_ENABLE } else { 0 };
        // SAFETY: live context and device.
        let raw = unsafe { ffi::clCreateCommandQueue(context.0, device.as_raw(), properties, &mut code) };
        check(code, "clCreateCommandQueue")?;
        let (launches, arguments, marks) = Default::default();
        Ok(Rc::new(Queue { raw, launches, arguments, marks, profile }))
    }

    /// Launches, and arguments that were set for them, since the queue was made.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.launches.get(), self.arguments.get())
    }

    /// Enqueues `groups` work-groups of `items` work-items. Waits if the device is too far behind.
    ///
    /// # Safety
    /// `args` must be the kernel's parameters in order, with memory as large as it reads and writes.
    pub(crate) unsafe fn launch(
        &self,
        kernel: &Kernel,
        groups: [usize; 2],
        items: [usize; 2],
        args: &[Arg],
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        let set = unsafe { kernel.set(args)? };
        let launch = self.launches.get() + 1;
        let is_mark = launch.is_multiple_of(LAUNCHES_PER_MARK);
        let global = [groups[0] * items[0], groups[1] * items[1]];
        let (global, items, mut event) = (global.as_ptr(), items.as_ptr(), null_mut());
        let mark = if is_mark || self.profile.is_some() { &raw mut event } else { null_mut() };
        // SAFETY: live queue and kernel, two dimensions, waits for no event.
        let code = unsafe {
            ffi::clEnqueueNDRangeKernel(self.raw, kernel.raw, 2, null(), global, items, 0, null(), mark)
        };
        check(code, "clEnqueueNDRangeKernel")?;
        self.launches.set(launch);
        self.arguments.set(self.arguments.get() + set);
        let event = (!event.is_null()).then(|| Rc::new(Event(event)));
        if let (Some(profile), Some(event)) = (&self.profile, &event) {
            profile.note(&kernel.name, event);
        }
        match event {
            Some(event) if is_mark => self.mark(event),
            _ => Ok(()),
        }
    }

    /// Notes that the device has been given the command, and waits for one that is far enough behind it.
    fn mark(&self, event: Rc<Event>) -> Result<()> {
        self.flush()?;
        let mut marks = self.marks.borrow_mut();
        marks.push_back(event);
        match marks.len() > MARKS_AHEAD {
            true => marks.pop_front().map_or(Ok(()), |oldest| self.wait(&oldest, "launch")),
            false => Ok(()),
        }
    }

    /// Sets all of the memory, whose bytes are a multiple of 16, to 0 and waits: drivers that allocate late do it here. The
    /// error code, if it fails.
    pub(crate) fn clear(&self, target: &Memory) -> std::result::Result<(), i32> {
        // A fill that counts in 32 bits has no more than it can count.
        const PIECE: usize = 1 << 30;
        let zeros = [0u8; 16];
        let pattern = zeros.as_ptr().cast();
        for from in (0..target.bytes).step_by(PIECE) {
            let bytes = PIECE.min(target.bytes - from);
            let mut event = null_mut();
            // SAFETY: the memory has as many bytes from there on; the pattern's 16 bytes are copied.
            let code = unsafe {
                let size = zeros.len();
                ffi::clEnqueueFillBuffer(
                    self.raw,
                    target.raw,
                    pattern,
                    size,
                    from,
                    bytes,
                    0,
                    null(),
                    &mut event,
                )
            };
            if code != ffi::CL_SUCCESS {
                return Err(code);
            }
            let event = Event(event);
            // SAFETY: a live queue.
            match unsafe { ffi::clFlush(self.raw) } {
                ffi::CL_SUCCESS => event.wait()?,
                code => return Err(code),
            }
        }
        Ok(())
    }

    pub(crate) fn copy(&self, source: &Memory, target: &Memory, bytes: usize) -> Result<()> {
        source.holds(bytes, "copy")?;
        target.holds(bytes, "copy")?;
        // SAFETY: both have at least `bytes` bytes.
        let code = unsafe {
            ffi::clEnqueueCopyBuffer(self.raw, source.raw, target.raw, 0, 0, bytes, 0, null(), null_mut())
        };
        check(code, "clEnqueueCopyBuffer")
    }

    /// Waits: `values` is the caller's.
    pub(crate) fn write<T: Plain>(&self, target: &Memory, values: &[T]) -> Result<()> {
        let (bytes, mut event) = (size_of_val(values), null_mut());
        target.holds(bytes, "upload")?;
        // SAFETY: a copy out of `values`, which outlives it: the wait is below, into memory that holds as many bytes.
        let code = unsafe {
            let from = values.as_ptr().cast();
            ffi::clEnqueueWriteBuffer(self.raw, target.raw, 0, 0, bytes, from, 0, null(), &mut event)
        };
        check_waiting(code, "upload")?;
        self.wait(&Event(event), "upload")
    }

    /// Waits for everything enqueued before.
    pub(crate) fn read<T: Plain>(&self, source: &Memory, count: usize) -> Result<Vec<T>> {
        let (mut values, mut event) = (vec![T::default(); count], null_mut());
        let bytes = size_of_val(&*values);
        source.holds(bytes, "download")?;
        // SAFETY: a copy of as many bytes as `values` has, which outlives it: the wait is below.
        let code = unsafe {
            let to = values.as_mut_ptr().cast();
            ffi::clEnqueueReadBuffer(self.raw, source.raw, 0, 0, bytes, to, 0, null(), &mut event)
        };
        check_waiting(code, "download")?;
        self.wait(&Event(event), "download").map(|()| values)
    }

    fn flush(&self) -> Result<()> {
        // SAFETY: a live queue.
        check(unsafe { ffi::clFlush(self.raw) }, "clFlush")
    }

    /// Waits for a command and all before it. When it returns, the device is done with the command, even if it failed.
    fn wait(&self, event: &Event, operation: &'static str) -> Result<()> {
        let flushed = self.flush();
        let waited = flushed.and_then(|()| check_waiting(event.wait().err().unwrap_or(0), operation));
        if waited.is_err() {
            // SAFETY: a live queue. What failed has its error already.
            unsafe { ffi::clFinish(self.raw) };
        }
        waited
    }

    /// Waits for everything enqueued before.
    pub(crate) fn finish(&self) -> Result<()> {
        let mut event = null_mut();
        // SAFETY: a live queue, waits for everything before.
        let code = unsafe { ffi::clEnqueueMarkerWithWaitList(self.raw, 0, null(), &mut event) };
        check_waiting(code, "synchronize")?;
        self.wait(&Event(event), "synchronize")?;
        // SAFETY: a live queue. Nothing is left to wait for; what failed unseen shows.
        check_waiting(unsafe { ffi::clFinish(self.raw) }, "synchronize")
    }
}
