import { useEffect } from 'react';
import { LESSONS } from '../../protocol/lessons';
import { openLessons } from '../../store/actions';
import { useStore } from '../../store/store';
import { Icon, Mark } from '../icons';
import { ProjectorButton } from '../panels/LessonsButton';
import { Notices } from '../panels/Notices';
import { ThemeButton } from '../panels/ThemeButton';
import './stage.css';
import './lessons.css';
import { begin, leave, progress } from './player';
import { RankLesson } from './RankLesson';
import { TrainedLessonScreen } from './TrainedLesson';

/** The list of lessons, or the one that is open. */
export default function Lessons() {
  const lesson = useStore((s) => s.lesson);
  useEffect(() => {
    if (lesson && lesson !== 'rank') begin(lesson);
  }, [lesson]);
  if (lesson === 'rank') return <RankLesson />;
  return lesson ? <TrainedLessonScreen name={lesson} /> : <List />;
}

function List() {
  const far = progress();
  const step = useStore((s) => (s.running && s.step > 0 && s.phase !== 'finished' ? s.step : null));
  return (
    <div className="app-first">
      <header className="top">
        <button type="button" className="brand" onClick={() => leave('first')} title="To the first page">
          <Mark />
          <span>Q3R Playground</span>
        </button>
        <span className="grow" />
        <button type="button" className="btn" onClick={() => leave()}>
          All settings
        </button>
        <ProjectorButton words />
        <ThemeButton />
      </header>
      <Notices />
      <main className="page lesson-list">
        <h1 className="lead">Lessons</h1>
        <p className="sub">
          Guess, run, look. Every answer comes from what the run in this tab does, so it may surprise the lesson, too.
          {step !== null && ` The run on screen, at step ${step}, makes way for the lesson’s when you run a step; this browser keeps it.`}
        </p>
        <ol>
          {LESSONS.map(({ name, title, about, minutes }, i) => {
            const mine = far[name];
            return (
              <li key={name}>
                <button type="button" className="lesson-entry" onClick={() => openLessons(name)}>
                  <span className="no">{i + 1}</span>
                  <span>
                    <b>{title}</b>
                    <span>{about}</span>
                  </span>
                  <small>
                    {mine?.done ? (
                      <>
                        <Icon name="check" /> done
                      </>
                    ) : mine && mine.step > 0 ? (
                      `at step ${mine.step + 1}`
                    ) : (
                      `${minutes} min`
                    )}
                  </small>
                </button>
              </li>
            );
          })}
        </ol>
      </main>
    </div>
  );
}
